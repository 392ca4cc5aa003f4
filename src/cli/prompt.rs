//! Asks the person at the terminal, and reads values from standard input. No value comes from an argument, because
//! arguments are seen in process lists and kept in shell histories.

#[cfg(unix)]
use std::{io::BufRead, time::Duration};
use std::{
    io::{self, Read},
    sync::Arc,
};

use zeroize::Zeroizing;

use crate::{
    cli::{Stop, terminal::Terminal},
    name::SecretName,
    status::{Problem, Reason},
    vault::{
        local::{Change, State},
        value::SecretValue,
    },
    work::{Core, verbs::Failure},
};

/// The longest line that is read whole, in bytes; longer than any terminal passes on.
#[cfg(unix)]
const LONGEST_LINE: usize = 64 * 1024;

/// How often is looked for a line that was typed.
#[cfg(unix)]
const GLANCE: Duration = Duration::from_millis(100);

/// A hidden text from the terminal.
pub fn hidden(terminal: &mut Terminal, question: &str) -> Result<SecretValue, Stop> {
    if !terminal.is_interactive() {
        return Err(Stop::usage(
            format!("cannot ask for {question}: there is no terminal"),
            "run the command in a terminal",
        ));
    }
    let mut typed = typed(terminal, question)?;
    Ok(SecretValue::new(std::mem::take(&mut *typed).into_bytes()))
}

/// A text that is not shown while it is typed.
pub fn typed(terminal: &mut Terminal, question: &str) -> Result<Zeroizing<String>, Stop> {
    terminal.flush()?;
    #[cfg(unix)]
    outlive_interrupt();
    Ok(Zeroizing::new(rpassword::prompt_password(format!("{question}: "))?))
}

/// From now on Ctrl-C ends the program a moment later. NB. whoever reads a hidden answer raises the signal while the
/// terminal still hides what is typed: it has to live on until it has put the terminal back.
#[cfg(unix)]
#[expect(clippy::exit, reason = "the signal ends the program, wherever it is")]
fn outlive_interrupt() {
    use tokio::signal::unix::{SignalKind, signal};
    const MOMENT: Duration = Duration::from_millis(250);
    /// What a shell calls the end of a program by Ctrl-C: 128 and the signal's number.
    const INTERRUPTED: i32 = 130;
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let Ok(mut interrupts) = signal(SignalKind::interrupt()) else { return };
        tokio::spawn(async move {
            if interrupts.recv().await.is_some() {
                tokio::time::sleep(MOMENT).await;
                std::process::exit(INTERRUPTED);
            }
        });
    });
}

/// A value: asked for where a person sits at standard input, else read from it. One line break at its end is left
/// out unless `raw`.
pub fn value(terminal: &mut Terminal, question: &str, raw: bool) -> Result<SecretValue, Stop> {
    if terminal.is_interactive() {
        return hidden(terminal, question);
    }
    piped(raw)
}

/// A value from standard input. One line break at its end is left out unless `raw`.
pub fn piped(raw: bool) -> Result<SecretValue, Stop> {
    let mut bytes = std::mem::take(&mut *standard_input(SecretValue::MAX_LENGTH)?);
    if !raw && bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(SecretValue::new(bytes))
}

/// A line that may be seen.
pub fn line(terminal: &mut Terminal, question: &str) -> Result<String, Stop> {
    terminal.ask(&format!("{question}: "));
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

/// A line that is typed while something else may happen; none at the end of input. Nothing is read before there is a
/// whole line, so that whoever asks next misses nothing when this is given up.
#[cfg(unix)]
pub async fn pasted() -> Option<SecretValue> {
    loop {
        // A terminal is readable once a line was ended.
        if is_readable(&io::stdin()) {
            let mut line = Zeroizing::new(String::with_capacity(LONGEST_LINE));
            if io::stdin().lock().take(LONGEST_LINE as u64).read_line(&mut line).ok()? == 0 {
                return None;
            }
            if !line.trim().is_empty() {
                return Some(SecretValue::new(line.trim().as_bytes().to_vec()));
            }
        }
        tokio::time::sleep(GLANCE).await;
    }
}

#[cfg(unix)]
fn is_readable(input: &io::Stdin) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut inputs = [PollFd::new(input, PollFlags::IN)];
    poll(&mut inputs, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}

/// Where one cannot wait for a line and for something else, nothing is pasted.
#[cfg(not(unix))]
pub async fn pasted() -> Option<SecretValue> {
    std::future::pending().await
}

/// All of standard input, in one buffer that never grows, so that no copy is left behind.
pub fn standard_input(longest: usize) -> Result<Zeroizing<Vec<u8>>, Stop> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(longest + 1));
    io::stdin().lock().take(longest as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > longest {
        return Err(Stop::usage(format!("standard input is longer than {} KiB", longest / 1024), "give it less"));
    }
    Ok(bytes)
}

/// One of `answers` by its first letter; none for anything else, and where nobody can be asked.
pub fn choice(terminal: &mut Terminal, question: &str, answers: &[char]) -> io::Result<Option<char>> {
    if !terminal.is_interactive() {
        return Ok(None);
    }
    terminal.ask(question);
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let first = line.trim_start().chars().next().map(|char| char.to_ascii_lowercase());
    Ok(first.filter(|first| answers.contains(first)))
}

/// Opens the local vault if it is locked and somebody can be asked; says so if nobody can.
pub async fn open_vault(core: &Arc<Core>, terminal: &mut Terminal) -> Result<(), Stop> {
    for _ in 0..3 {
        match core.local_state().await {
            State::Absent | State::Open => return Ok(()),
            State::Broken(why) => {
                return Err(Stop::wrong(why, "restore the file from a copy, or start anew with `vaultls vault reset`"));
            }
            State::Locked if !terminal.is_interactive() => break,
            State::Locked => {
                let passphrase = hidden(terminal, "Passphrase of the local vault")?;
                if let Err(failure) = core.unlock(passphrase).await {
                    terminal.error(&failure.message, "");
                }
            }
        }
    }
    Err(locked(core))
}

/// Makes sure that the vault can take a value before the value is asked for: opens it, or makes its key where there
/// is no vault yet. Says whether `name` was made for that, without a value.
pub async fn prepare_vault(core: &Arc<Core>, name: &SecretName, terminal: &mut Terminal) -> Result<bool, Stop> {
    open_vault(core, terminal).await?;
    if core.local_state().await != State::Absent || !terminal.is_interactive() {
        return Ok(false);
    }
    // Only writing shows whether the system keeps a key for us.
    match core.store(name, Change::default()).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.reason == Some(Reason::Locked) => {
            choose_passphrase(core, terminal).await.map(|()| false)
        }
        Err(failure) => Err(failure.into()),
    }
}

async fn choose_passphrase(core: &Arc<Core>, terminal: &mut Terminal) -> Result<(), Stop> {
    let mut chosen = typed(terminal, "New passphrase for the local vault")?;
    if chosen != typed(terminal, "The same passphrase again")? {
        return Err(Stop::wrong("the passphrases differ", "try again"));
    }
    core.unlock(SecretValue::new(std::mem::take(&mut *chosen).into_bytes())).await.map_err(Stop::from)
}

/// Says why no key was found: the variable that does not fit, the file that cannot be read.
fn locked(core: &Core) -> Stop {
    let problem = core.vault.local().problem();
    Failure::from(problem.unwrap_or_else(|| Problem::new(Reason::Locked, "the local vault is locked"))).into()
}
