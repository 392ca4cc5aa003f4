//! The desk: where questions wait for their answers. A ticket is the desk's id and 128 random bits, good once and for
//! five minutes. The channel to it is private: a socket, or a pipe on Windows.
//!
//! A message is its length (four bytes, the highest first) and a ticket, which alone asks for the question's fields and
//! leaves it standing; the answers follow it. A reply is one line: `ok` and perhaps something more (fields, or what
//! comes next, as JSON), `refused` and why the answer was not taken, or `failed` and what came of it.

use std::{
    collections::HashMap,
    fmt::Write as _,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use zeroize::Zeroizing;

use serde::Serialize;
use serde_json::Value;
use tempfile::NamedTempFile;

use super::{
    AnswerError, Answered, DESK_DIGITS, Effect, Field, LONGEST, Reply,
    channel::{self, Listener},
    check, files, read_answers,
};
use crate::{disk, vault::person::Answers, work::Directories};

/// How long a question stands.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long one delivery may take.
const DELIVERY: Duration = Duration::from_secs(10);
/// How long the asker may take to act on an answer: a key is derived, a vault is asked.
const EFFECT: Duration = Duration::from_secs(120);
/// The longest reply, in bytes.
const LONGEST_REPLY: usize = 16 * 1024;
/// How many questions stand at once.
const MOST: usize = 64;
const STOPPED: &str = "whoever asked has stopped before it was done";
const TICKET_DIGITS: usize = DESK_DIGITS + 32;

type Waiting<Next> = Arc<Mutex<HashMap<String, Question<Next>>>>;

struct Question<Next> {
    fields: Vec<Field>,
    answer: oneshot::Sender<Answered<Next>>,
}

/// What the desk makes of a message.
enum Taken<Next> {
    Fields(Vec<Field>),
    /// The answers were handed on; what comes of them arrives here.
    Answers(oneshot::Receiver<Effect<Next>>),
}

/// Where one process waits for answers. What comes next after one is told inside of the process as it is, and to
/// others as JSON.
pub struct Desk<Next> {
    id: String,
    /// What stands for the desk in the runtime folder.
    file: PathBuf,
    waiting: Waiting<Next>,
    listener: JoinHandle<()>,
}

impl<Next: Serialize + Send + 'static> Desk<Next> {
    /// Opens the channel. NB. must be called inside a tokio runtime.
    pub fn open(directories: &Directories) -> io::Result<Self> {
        let id = random_hex(DESK_DIGITS / 2)?;
        files::sweep(directories);
        let listener = Listener::open(&directories.runtime, &id)?;
        let file = listener.file().to_owned();
        let waiting = Waiting::default();
        let listener = tokio::spawn(listen(listener, waiting.clone()));
        Ok(Self { id, file, waiting, listener })
    }

    /// A ticket for a question, and where its answer arrives; the receiver fails when nobody answered in time.
    pub fn ask(&self, fields: Vec<Field>) -> io::Result<(String, oneshot::Receiver<Answered<Next>>)> {
        let ticket = format!("{}{}", self.id, random_hex((TICKET_DIGITS - DESK_DIGITS) / 2)?);
        let (answer, receiver) = oneshot::channel();
        {
            let mut waiting = lock(&self.waiting);
            waiting.retain(|_, question| !question.answer.is_closed());
            if waiting.len() >= MOST {
                return Err(io::Error::other("too many questions wait for an answer"));
            }
            waiting.insert(ticket.clone(), Question { fields, answer });
        }
        let (waiting, expiring) = (self.waiting.clone(), ticket.clone());
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            lock(&waiting).remove(&expiring);
        });
        Ok((ticket, receiver))
    }

    /// Writes a file with `extension`, and its dot, in the desk's private folder that is gone with the result; after a kill,
    /// the next process sweeps it.
    pub async fn write(&self, text: String, extension: &'static str) -> io::Result<NamedTempFile> {
        let folder = self.file.parent().expect("it stands in a folder").to_owned();
        let id = self.id.clone();
        tokio::task::spawn_blocking(move || files::write(&folder, &id, extension, &text))
            .await
            .map_err(io::Error::other)?
    }

    /// Hands answers over inside this process, as [`deliver`] does from outside.
    pub async fn hand_over(&self, ticket: &str, answers: Answers) -> Result<Option<Next>, AnswerError> {
        let question = lock(&self.waiting).remove(ticket).ok_or(AnswerError::Expired)?;
        check(&answers, &question.fields)?;
        let effect = question.take(answers)?;
        match timeout(EFFECT, effect).await {
            Ok(Ok(effect)) => effect.map_err(AnswerError::Failed),
            Ok(Err(_)) => Err(AnswerError::Failed(STOPPED.into())),
            Err(_) => Err(AnswerError::Unknown),
        }
    }
}

impl<Next> Question<Next> {
    /// Hands the answers on; what comes of them arrives at the receiver.
    fn take(self, answers: Answers) -> Result<oneshot::Receiver<Effect<Next>>, AnswerError> {
        let (reply, effect) = oneshot::channel();
        self.answer.send(Answered { answers, reply: Reply(reply) }).map_err(|_| AnswerError::Expired)?;
        Ok(effect)
    }
}

impl<Next> Drop for Desk<Next> {
    fn drop(&mut self) {
        self.listener.abort();
        // Whoever still waits learns at once that no answer will come.
        lock(&self.waiting).clear();
        let _ = disk::remove(&self.file);
    }
}

/// Hands `answers`, a JSON object of texts, to the process that issued `ticket`, and waits until it has acted on
/// them. Returns what comes next, where there is more to do: JSON as the process tells an editor.
pub async fn deliver(
    directories: &Directories,
    ticket: &str,
    answers: Zeroizing<Vec<u8>>,
) -> Result<Option<Value>, AnswerError> {
    if answers.is_empty() {
        return Err(AnswerError::NotJson);
    }
    if answers.len() > LONGEST {
        return Err(AnswerError::TooLong);
    }
    let next = exchange(directories, ticket, &answers).await?;
    if next.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&next).map(Some).map_err(|_| AnswerError::Channel("the reply was not understood".into()))
}

/// What the question of `ticket` asks for. The question stands as before.
pub async fn fields(directories: &Directories, ticket: &str) -> Result<Vec<Field>, AnswerError> {
    let reply = exchange(directories, ticket, &[]).await?;
    serde_json::from_str(&reply).map_err(|_| AnswerError::Channel("the reply was not understood".into()))
}

/// Sends `ticket` and `answers`; gives what the reply says beyond that all is well.
async fn exchange(directories: &Directories, ticket: &str, answers: &[u8]) -> Result<String, AnswerError> {
    let is_ticket =
        ticket.len() == TICKET_DIGITS && ticket.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_ticket {
        return Err(AnswerError::NotATicket);
    }
    let sent = timeout(DELIVERY, send(directories, ticket, answers)).await;
    let stream = sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(|error| unsent(&error))?;
    match timeout(EFFECT, reply(stream)).await {
        Ok(reply) => read_reply(&reply.map_err(|error| AnswerError::Channel(error.to_string()))?),
        Err(_) => Err(AnswerError::Unknown),
    }
}

async fn send(directories: &Directories, ticket: &str, answers: &[u8]) -> io::Result<channel::Outgoing> {
    let mut stream = channel::connect(&directories.runtime, &ticket[..DESK_DIGITS]).await?;
    let length = u32::try_from(ticket.len() + answers.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(ticket.as_bytes()).await?;
    stream.write_all(answers).await?;
    stream.flush().await?;
    Ok(stream)
}

fn unsent(error: &io::Error) -> AnswerError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => AnswerError::Expired,
        _ => AnswerError::Channel(error.to_string()),
    }
}

async fn reply(stream: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut reply = String::new();
    BufReader::new(stream.take(LONGEST_REPLY as u64)).read_line(&mut reply).await?;
    match reply.strip_suffix('\n') {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// What went wrong over there, in its own words.
fn read_reply(reply: &str) -> Result<String, AnswerError> {
    let (word, rest) = reply.split_once(' ').unwrap_or((reply, ""));
    let told = || rest.chars().flat_map(visible).collect();
    match word {
        "ok" => Ok(rest.to_owned()),
        "failed" => Err(AnswerError::Failed(told())),
        _ if rest == AnswerError::Expired.to_string() => Err(AnswerError::Expired),
        _ => Err(AnswerError::Channel(told())),
    }
}

/// A character as a terminal may be shown it.
fn visible(char: char) -> impl Iterator<Item = char> {
    let escaped = char.is_control().then(|| char.escape_default());
    let plain = escaped.is_none().then_some(char);
    escaped.into_iter().flatten().chain(plain)
}

async fn listen<Next: Serialize + Send + 'static>(mut listener: Listener, waiting: Waiting<Next>) {
    loop {
        match listener.accept().await {
            Ok(caller) => {
                let waiting = waiting.clone();
                drop(tokio::spawn(async move {
                    if let Ok(Ok(stream)) = timeout(DELIVERY, caller.verified()).await {
                        receive(stream, waiting).await;
                    }
                }));
            }
            // For example too many open files: what is open now will be closed again.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn receive<Next: Serialize>(mut stream: impl AsyncRead + AsyncWrite + Unpin, waiting: Waiting<Next>) {
    let Ok(taken) = timeout(DELIVERY, take(&mut stream, &waiting)).await else { return };
    let reply = match taken {
        Ok(Taken::Fields(fields)) => told("ok", &json(&fields)),
        Ok(Taken::Answers(effect)) => match timeout(EFFECT, effect).await {
            Ok(Ok(Ok(next))) => told("ok", &next.as_ref().map(json).unwrap_or_default()),
            Ok(Ok(Err(message))) => told("failed", &message),
            Ok(Err(_)) => told("failed", STOPPED),
            Err(_) => return,
        },
        Err(error) => told("refused", &error.to_string()),
    };
    if timeout(DELIVERY, stream.write_all(reply.as_bytes())).await.is_ok_and(|written| written.is_ok()) {
        // A pipe that is closed too early takes with it what was not read yet.
        let _ = timeout(DELIVERY, stream.read(&mut [0])).await;
    }
}

fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("what is told is plain data with text keys")
}

/// A reply in its one line.
fn told(word: &str, rest: &str) -> String {
    let mut line = format!("{word} {}", rest.replace(['\n', '\r'], " "));
    line.truncate(line.floor_char_boundary(LONGEST_REPLY - 1));
    line.push('\n');
    line
}

async fn take<Next>(
    stream: &mut (impl AsyncRead + Unpin),
    waiting: &Waiting<Next>,
) -> Result<Taken<Next>, AnswerError> {
    let message = read_message(stream).await?;
    let (ticket, json) = message.split_at_checked(TICKET_DIGITS).ok_or(AnswerError::NotATicket)?;
    let ticket = std::str::from_utf8(ticket).map_err(|_| AnswerError::NotATicket)?;
    if json.is_empty() {
        let waiting = lock(waiting);
        return Ok(Taken::Fields(waiting.get(ticket).ok_or(AnswerError::Expired)?.fields.clone()));
    }
    // Taken out before it is read: a ticket is good for one try.
    let question = lock(waiting).remove(ticket).ok_or(AnswerError::Expired)?;
    let answers = read_answers(&Zeroizing::new(json.to_vec()), &question.fields)?;
    question.take(answers).map(Taken::Answers)
}

/// A message in one buffer that never grows, so that no copy is left behind.
async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> Result<Zeroizing<Vec<u8>>, AnswerError> {
    let lost = |error: io::Error| AnswerError::Channel(error.to_string());
    let length = stream.read_u32().await.map_err(lost)? as usize;
    if length > TICKET_DIGITS + LONGEST {
        return Err(AnswerError::TooLong);
    }
    let mut message = Zeroizing::new(vec![0; length]);
    stream.read_exact(&mut message).await.map_err(lost)?;
    Ok(message)
}

fn random_hex(bytes: usize) -> io::Result<String> {
    let mut random = vec![0_u8; bytes];
    getrandom::fill(&mut random).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    let mut hex = String::with_capacity(bytes * 2);
    for byte in random {
        write!(hex, "{byte:02x}").expect("a String takes every text");
    }
    Ok(hex)
}

fn lock<Next>(waiting: &Waiting<Next>) -> std::sync::MutexGuard<'_, HashMap<String, Question<Next>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make files and look at canaries")]
mod tests {
    use std::path::Path;

    use super::*;

    fn directories(folder: &Path) -> Directories {
        Directories {
            config: folder.join("config"),
            data: folder.join("data"),
            state: folder.join("state"),
            runtime: folder.join("runtime"),
        }
    }

    fn json(text: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(text.as_bytes().to_vec())
    }

    struct Setup {
        _folder: tempfile::TempDir,
        directories: Directories,
        desk: Desk<Value>,
    }

    fn setup() -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let directories = directories(folder.path());
        let desk = Desk::open(&directories).unwrap();
        Setup { _folder: folder, directories, desk }
    }

    #[tokio::test]
    async fn an_answer_arrives_once() {
        let Setup { _folder, directories, desk } = setup();
        let (ticket, receiver) = desk.ask(vec![Field::hidden("value", "Value")]).unwrap();
        let answer = || json(r#"{"value":"canary-desk-1"}"#);
        let asker = tokio::spawn(async move {
            let answered = receiver.await.unwrap();
            assert!(answered.answers["value"].expose(|bytes| bytes == b"canary-desk-1"));
            answered.reply.send(Ok(None)).unwrap();
        });
        assert_eq!(deliver(&directories, &ticket, answer()).await, Ok(None));
        asker.await.unwrap();
        assert_eq!(deliver(&directories, &ticket, answer()).await, Err(AnswerError::Expired));
    }

    /// What `deliver` says when the asker replies `effect`.
    async fn delivered(effect: Effect<Value>) -> Result<Option<Value>, AnswerError> {
        let Setup { _folder, directories, desk } = setup();
        let (ticket, receiver) = desk.ask(vec![Field::hidden("value", "Value")]).unwrap();
        let asker = async { receiver.await.unwrap().reply.send(effect) };
        let (delivered, told) = tokio::join!(deliver(&directories, &ticket, json(r#"{"value":"x"}"#)), asker);
        assert_eq!(told, Ok(()));
        delivered
    }

    #[tokio::test]
    async fn whoever_answers_learns_what_came_of_it() {
        assert_eq!(delivered(Ok(None)).await, Ok(None));
        let next = serde_json::json!({ "outcome": "done", "message": "two\nlines" });
        assert_eq!(delivered(Ok(Some(next.clone()))).await, Ok(Some(next)));
        let failed = delivered(Err("the passphrase is wrong\n\u{1b}[2J".into())).await;
        assert_eq!(failed, Err(AnswerError::Failed("the passphrase is wrong \\u{1b}[2J".into())));
        let long = delivered(Err("é".repeat(LONGEST_REPLY))).await;
        assert!(matches!(long, Err(AnswerError::Failed(told)) if told.len() > LONGEST_REPLY - 20));
    }

    #[tokio::test]
    async fn only_an_optional_field_stays_empty() {
        let Setup { _folder, directories, desk } = setup();
        let asked = vec![Field::hidden("key", "Key"), Field::hidden("token", "Token").or_empty(true)];
        let (ticket, _receiver) = desk.ask(asked.clone()).unwrap();
        let empty = deliver(&directories, &ticket, json(r#"{"key":"","token":"x"}"#)).await;
        assert_eq!(empty, Err(AnswerError::Channel(AnswerError::Empty("key".into()).to_string())));
        // A ticket is good for one try.
        let (ticket, receiver) = desk.ask(asked).unwrap();
        let asker = async {
            let Answered { answers, reply } = receiver.await.unwrap();
            reply.send(Ok(None)).map(|()| answers.into_iter().map(|(id, text)| (id, text.len())).collect::<Vec<_>>())
        };
        let (delivered, taken) = tokio::join!(deliver(&directories, &ticket, json(r#"{"key":"x","token":""}"#)), asker);
        assert_eq!((delivered, taken), (Ok(None), Ok(vec![("key".into(), 1), ("token".into(), 0)])));
    }

    #[tokio::test]
    async fn an_asker_that_stops_is_told_as_a_failure() {
        let Setup { _folder, directories, desk } = setup();
        let (ticket, receiver) = desk.ask(vec![Field::hidden("value", "Value")]).unwrap();
        let asker = async { drop(receiver.await.unwrap()) };
        let (delivered, ()) = tokio::join!(deliver(&directories, &ticket, json(r#"{"value":"x"}"#)), asker);
        assert!(matches!(delivered, Err(AnswerError::Failed(_))), "{delivered:?}");
    }

    #[tokio::test]
    async fn the_fields_of_a_question_can_be_asked_for_and_leave_it_standing() {
        let Setup { _folder, directories, desk } = setup();
        let asked = vec![Field::hidden("value", "Value of key")];
        let (ticket, mut receiver) = desk.ask(asked.clone()).unwrap();
        assert_eq!(fields(&directories, &ticket).await, Ok(asked));
        assert!(receiver.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Empty));
        let unknown = format!("{}{}", &ticket[..DESK_DIGITS], "0".repeat(TICKET_DIGITS - DESK_DIGITS));
        assert_eq!(fields(&directories, &unknown).await, Err(AnswerError::Expired));
    }

    #[tokio::test]
    async fn a_desk_that_closes_leaves_nothing_behind() {
        let Setup { _folder, directories, desk } = setup();
        assert_eq!(disk::names(&directories.runtime).unwrap().len(), 1);
        drop(desk);
        assert_eq!(disk::names(&directories.runtime).unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn an_answer_that_does_not_fit_is_refused_and_ends_the_question() {
        for (answer, expected) in [
            (r#"{"value":1}"#, AnswerError::NotJson),
            (r#"["canary"]"#, AnswerError::NotJson),
            ("{}", AnswerError::Lacks("value".into())),
            (r#"{"value":"x","more":"y"}"#, AnswerError::Unasked("more".into())),
        ] {
            let Setup { _folder, directories, desk } = setup();
            let (ticket, receiver) = desk.ask(vec![Field::hidden("value", "Value")]).unwrap();
            let refused = deliver(&directories, &ticket, json(answer)).await;
            assert_eq!(refused, Err(AnswerError::Channel(expected.to_string())), "{answer}");
            assert!(receiver.await.is_err(), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_ticket_cannot_name_another_file() {
        let Setup { _folder, directories, .. } = setup();
        let path_like = format!("../../{}", "a".repeat(TICKET_DIGITS - 6));
        for ticket in ["", "..", &path_like, &"g".repeat(TICKET_DIGITS), &"é".repeat(TICKET_DIGITS / 2)] {
            assert_eq!(deliver(&directories, ticket, json("{}")).await, Err(AnswerError::NotATicket), "{ticket}");
        }
        let unknown = "0".repeat(TICKET_DIGITS);
        assert_eq!(deliver(&directories, &unknown, json("{}")).await, Err(AnswerError::Expired));
    }

    #[tokio::test]
    async fn a_message_over_the_limit_is_refused() {
        let Setup { _folder, directories, desk } = setup();
        let (ticket, _receiver) = desk.ask(vec![Field::hidden("value", "Value")]).unwrap();
        let long = json(&format!(r#"{{"value":"{}"}}"#, "x".repeat(LONGEST)));
        assert_eq!(deliver(&directories, &ticket, long).await, Err(AnswerError::TooLong));
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_ends_after_five_minutes() {
        let Setup { _folder, desk, .. } = setup();
        let (_, receiver) = desk.ask(vec![]).unwrap();
        let asked = tokio::time::Instant::now();
        assert!(receiver.await.is_err());
        assert_eq!(asked.elapsed().as_secs(), PATIENCE.as_secs());
    }
}
