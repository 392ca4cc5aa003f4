//! `vaultls check`: findings for people, programs, code scanning and GitHub Actions.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    cli::{
        Exit, Machine, Outcome, Stop, arguments,
        arguments::CheckFormat,
        documents::{self, Workspaces},
        junit::{self, Case, Fault, Suite, Verdict},
        run::is_not_allowed,
        sarif,
        terminal::{Style, Terminal, one_line, plain, styled},
    },
    status::Severity,
    work::{
        Sheet,
        check::{self, Located},
        extract::counted,
        files,
    },
};

pub async fn check(arguments: arguments::Check, machine: &Machine, terminal: &mut Terminal) -> Outcome {
    let files = collect(&arguments.paths, terminal)?;
    let mut workspaces = Workspaces::new(machine, arguments.workspace.root.clone());
    let mut findings = Vec::new();
    let (mut environments, mut looked_at) = (BTreeSet::new(), Vec::new());
    for file in &files {
        let core = workspaces.of(&file.path, |_| Ok(()))?;
        let Some((sheet, troubles)) = file.open(&core.root, arguments.environment.as_deref(), terminal)? else {
            continue;
        };
        looked_at.push(documents::below_here(&file.path));
        environments.extend(sheet.environment.available.iter().cloned());
        findings.extend(troubles.into_iter().map(check::of_trouble));
        let found = core.check(&sheet, !arguments.offline).await;
        // Named as the person named it, not as the disk does.
        findings.extend(found.into_iter().map(|finding| Located { file: file.path.clone(), ..finding }));
    }
    if let Some(name) = arguments.environment.filter(|name| !files.is_empty() && !environments.contains(name)) {
        let there = environments.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Stop::usage(format!("there is no environment `{name}` here"), format!("there are: {there}")));
    }
    for path in &arguments.paths {
        // A folder without any document still has a workspace.
        workspaces.of(path, |_| Ok(()))?;
    }
    findings.extend(workspaces.all().flat_map(|core| core.check_config()));
    findings.iter_mut().for_each(|finding| finding.file = documents::below_here(&finding.file));
    findings.sort_by(|left, right| (&left.file, left.start, left.code).cmp(&(&right.file, right.start, right.code)));
    findings.dedup();
    match arguments.format {
        CheckFormat::Human => human(&findings, files.len(), terminal)?,
        CheckFormat::Json => terminal.json(&findings.iter().map(Listed::of).collect::<Vec<_>>())?,
        CheckFormat::Junit => terminal.text(&junit::report(&suites(&looked_at, &findings), Timestamp::now()))?,
        CheckFormat::Sarif => terminal.json(&sarif::log(&findings))?,
        CheckFormat::Github => findings.iter().try_for_each(|finding| terminal.line(&[plain(github(finding))]))?,
    }
    Ok(judge(&findings))
}

/// A file to look at.
struct Candidate {
    path: PathBuf,
    /// Whether a person named it, so that it must be a document.
    named: bool,
}

impl Candidate {
    fn open(
        &self,
        root: &Path,
        environment: Option<&str>,
        terminal: &mut Terminal,
    ) -> Result<Option<(Sheet, Vec<crate::environment::Trouble>)>, Stop> {
        if self.named {
            return documents::open(&self.path, root, environment).map(Some);
        }
        match files::read(&self.path) {
            Ok(source) => Ok(Sheet::read(std::path::absolute(&self.path)?, source, root, environment)),
            // A folder may hold anything under a name like ours; what cannot be a document is passed over loudly.
            Err(error) => {
                terminal.warning(&format!("{}: {error}", self.path.display()));
                Ok(None)
            }
        }
    }
}

/// The files of the paths, each once, in the order of the paths.
fn collect(paths: &[PathBuf], terminal: &mut Terminal) -> Result<Vec<Candidate>, Stop> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for path in paths {
        if !path.is_dir() {
            candidates.push(Candidate { path: path.clone(), named: true });
            continue;
        }
        let walk = files::walk(path);
        for (folder, error) in walk.troubles {
            terminal.warning(&format!("{}: cannot be searched: {error}", folder.display()));
        }
        if walk.cut {
            terminal.warning(&format!("{}: has more files or folders than are searched", path.display()));
        }
        candidates.extend(walk.files.into_iter().map(|path| Candidate { path, named: false }));
    }
    let mut seen = std::collections::HashSet::new();
    candidates.retain(|candidate| seen.insert(candidate.path.clone()));
    Ok(candidates)
}

/// Information and hints fail nothing.
fn judge(findings: &[Located]) -> Exit {
    findings.iter().filter(|finding| is_loud(finding)).fold(Exit::Done, |exit, finding| {
        exit.and(if is_not_allowed(finding.code) { Exit::NotAllowed } else { Exit::Wrong })
    })
}

fn is_loud(finding: &Located) -> bool {
    finding.severity <= Severity::Warning
}

/// A suite for each file, with a test for each finding that fails something. A file without any is a test that passed.
fn suites(looked_at: &[PathBuf], findings: &[Located]) -> Vec<Suite> {
    let files: BTreeSet<&Path> =
        looked_at.iter().map(PathBuf::as_path).chain(findings.iter().map(|finding| &*finding.file)).collect();
    let suite = |file: &Path| {
        let (loud, quiet): (Vec<&Located>, Vec<&Located>) =
            findings.iter().filter(|finding| finding.file == file).partition(|finding| is_loud(finding));
        let name = file.to_string_lossy().into_owned();
        let case = |test: String, verdict| Case { name: test, class: name.clone(), time: Duration::ZERO, verdict };
        let mut cases: Vec<Case> = loud.into_iter().map(|finding| case(test(finding), fault(finding))).collect();
        if cases.is_empty() {
            cases.push(case("no finding".into(), Verdict::Passed));
        }
        let out = quiet.into_iter().map(|finding| format!("{}\n", told(finding))).collect();
        Suite { name, cases, out, err: String::new() }
    };
    files.into_iter().map(suite).collect()
}

fn test(finding: &Located) -> String {
    format!("{}:{} {}", finding.start.line + 1, finding.start.column + 1, finding.code)
}

fn fault(finding: &Located) -> Verdict {
    let (kind, message) = (finding.code.into(), finding.message.clone());
    Verdict::Failed(Fault { kind, message, detail: told(finding) })
}

fn told(finding: &Located) -> String {
    let (file, place) = (finding.file.to_string_lossy(), finding.start);
    format!("{file}:{}:{}: {} [{}]", place.line + 1, place.column + 1, finding.message, finding.code)
}

/// A finding for programs; lines and columns count from 1, columns in characters.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    file: Cow<'a, str>,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    severity: Severity,
    code: &'static str,
    message: &'a str,
}

impl<'a> Listed<'a> {
    fn of(finding: &'a Located) -> Self {
        Self {
            file: finding.file.to_string_lossy(),
            line: finding.start.line + 1,
            column: finding.start.column + 1,
            end_line: finding.end.line + 1,
            end_column: finding.end.column + 1,
            severity: finding.severity,
            code: finding.code,
            message: &finding.message,
        }
    }
}

fn human(findings: &[Located], files: usize, terminal: &mut Terminal) -> std::io::Result<()> {
    for finding in findings {
        let (style, word) = look(finding.severity);
        let file = one_line(&finding.file.to_string_lossy());
        let place = format!("{file}:{}:{}: ", finding.start.line + 1, finding.start.column + 1);
        terminal.line(&[
            styled(Style::Bold, place),
            styled(style, word),
            plain(format!(": {} ", finding.message)),
            styled(Style::Dim, format!("[{}]", finding.code)),
        ])?;
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    terminal.flush()?;
    let summary = format!("{}, {}, {}", counted(files, "file"), counted(errors, "error"), counted(warnings, "warning"));
    terminal.note(&[styled(Style::Dim, summary)]);
    Ok(())
}

fn look(severity: Severity) -> (Style, &'static str) {
    match severity {
        Severity::Error => (Style::Red, "error"),
        Severity::Warning => (Style::Yellow, "warning"),
        Severity::Information => (Style::Blue, "info"),
        Severity::Hint => (Style::Dim, "hint"),
    }
}

/// A workflow command (GitHub documentation, "Workflow commands for GitHub Actions").
fn github(finding: &Located) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information | Severity::Hint => "notice",
    };
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    format!(
        "::{command} file={},line={},col={},endLine={},endColumn={},title={}::{}",
        property(&finding.file.to_string_lossy()),
        finding.start.line + 1,
        finding.start.column + 1,
        finding.end.line + 1,
        finding.end.column + 1,
        property(&format!("vaultls {}", finding.code)),
        data(&finding.message),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Position;

    fn finding(code: &'static str, severity: Severity) -> Located {
        let start = Position { line: 1, column: 2 };
        let end = Position { line: 1, column: 5 };
        Located { file: "a,b.http".into(), start, end, severity, code, message: "100% wrong\nhere".into() }
    }

    #[test]
    fn workflow_commands_are_escaped() {
        assert_eq!(
            github(&finding("missing", Severity::Error)),
            "::error file=a%2Cb.http,line=2,col=3,endLine=2,endColumn=6,title=vaultls missing::100%25 wrong%0Ahere"
        );
    }

    #[test]
    fn the_exit_code_follows_the_worst_finding() {
        let check = |findings: &[(&'static str, Severity)]| {
            let findings: Vec<Located> = findings.iter().map(|(code, severity)| finding(code, *severity)).collect();
            judge(&findings)
        };
        assert_eq!(check(&[]), Exit::Done);
        assert_eq!(check(&[("host-unapproved", Severity::Information), ("disabled", Severity::Hint)]), Exit::Done);
        assert_eq!(check(&[("untrusted", Severity::Warning), ("domain-denied", Severity::Error)]), Exit::NotAllowed);
        assert_eq!(check(&[("untrusted", Severity::Warning), ("missing", Severity::Error)]), Exit::Wrong);
    }
}
