//! One conversation in the browser: a socket of its own on this machine, and one page that changes as the person
//! answers. It ends when its last page was shown, when nobody answers, or with the server.

use std::{
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{Instant, sleep, sleep_until, timeout},
};
use zeroize::Zeroizing;

use super::{
    course::Course,
    door::{self, Door, Visit},
    form::Form,
    peer,
    step::Step,
    view,
    wire::{self, Refusal, Reply},
};
use crate::lsp::{lock::lock, state::State};

/// How many connections are read at a time. More wait their turn.
const MOST_AT_ONCE: usize = 8;
/// How long a request may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(5);
/// How long an answer may take to leave.
const DEPARTURE: Duration = Duration::from_secs(30);
/// How long nobody may answer before the page is gone.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a socket that accepts nobody is left alone.
const PAUSE: Duration = Duration::from_millis(50);

/// One page that is open.
pub struct Talk {
    socket: TcpListener,
    door: Door,
    state: Arc<State>,
    stage: Mutex<Stage>,
    /// What the answers lead to; one at a time.
    course: tokio::sync::Mutex<Course>,
}

/// What the person sees.
struct Stage {
    /// None while an answer is acted on.
    step: Option<Step>,
    /// What a form must bring to be of this step.
    key: String,
    /// When nobody answers any more.
    until: Instant,
}

impl Talk {
    pub async fn open(state: Arc<State>, course: Course, step: Step) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let door = Door::new(socket.local_addr()?.port())?;
        let stage = Stage { step: Some(step), key: door::random()?, until: Instant::now() + PATIENCE };
        Ok(Self { socket, door, state, stage: Mutex::new(stage), course: tokio::sync::Mutex::new(course) })
    }

    /// Where the browser is sent to.
    pub fn address(&self) -> String {
        self.door.address()
    }

    /// Answers the browser until there is nothing more to say. NB. boxed: what is done on a page may open another one.
    pub fn hold(self: Arc<Self>) -> BoxFuture<'static, ()> {
        async move { self.listen().await }.boxed()
    }

    async fn listen(self: &Arc<Self>) {
        let mut open = FuturesUnordered::new();
        loop {
            let until = lock(&self.stage).until;
            tokio::select! {
                stream = self.accept(), if open.len() < MOST_AT_ONCE => open.push(self.serve(stream)),
                Some(over) = open.next(), if !open.is_empty() => {
                    if over {
                        return;
                    }
                }
                () = sleep_until(until) => {
                    if lock(&self.stage).until <= until {
                        return;
                    }
                }
            }
        }
    }

    async fn accept(&self) -> TcpStream {
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) if peer::is_ours(&stream) => return stream,
                Ok(_) => {}
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Answers one request; whether that was the last page.
    async fn serve(self: &Arc<Self>, mut stream: TcpStream) -> bool {
        let Some((reply, is_last)) = self.reply(&mut stream).await else { return false };
        let sent = timeout(DEPARTURE, wire::send(&mut stream, &reply, view::policy())).await;
        is_last && matches!(sent, Ok(Ok(())))
    }

    async fn reply(self: &Arc<Self>, stream: &mut TcpStream) -> Option<(Reply, bool)> {
        let refused = |refusal| Some((Reply::Refused(refusal), false));
        let head = timeout(ARRIVAL, wire::read_head(stream)).await.ok()?.ok()?;
        let (head, begun) = match head {
            Ok(read) => read,
            Err(refusal) => return refused(refusal),
        };
        match self.door.judge(&head) {
            Err(refusal) => refused(refusal),
            Ok(Visit::Enter) => Some((Reply::To { path: self.door.path(), cookie: Some(self.door.cookie()) }, false)),
            Ok(Visit::See) => Some(self.look().await),
            Ok(Visit::Act) => {
                let body = timeout(ARRIVAL, wire::read_body(stream, &begun, head.length)).await.ok()?.ok()?;
                drop(begun);
                match self.act(body).await {
                    Ok(()) => Some((Reply::To { path: self.door.path(), cookie: None }, false)),
                    Err(refusal) => refused(refusal),
                }
            }
        }
    }

    /// The page, after what the person did elsewhere was looked at: a browser that waits for that asks again by itself.
    async fn look(self: &Arc<Self>) -> (Reply, bool) {
        let over = {
            let mut stage = lock(&self.stage);
            if stage.step.as_ref().is_some_and(Step::waits) {
                // It lasts as long as the sign-in, which ends by itself.
                stage.until = Instant::now() + PATIENCE;
            }
            stage.step.take_if(|step| step.is_over())
        };
        if let Some(step) = over {
            self.carry_on(step, None).await;
        }
        self.page()
    }

    /// The page as it stands, and whether it is the last.
    fn page(&self) -> (Reply, bool) {
        let stage = lock(&self.stage);
        let Some(step) = &stage.step else { return (Reply::Page(view::busy()), false) };
        let page = view::page(step, &self.door.path(), &stage.key);
        (Reply::Page(page), step.is_last())
    }

    /// Acts on a form of the current step, and returns when the next one stands.
    async fn act(self: &Arc<Self>, body: Zeroizing<Vec<u8>>) -> Result<(), Refusal> {
        let form = Form::read(body).ok_or(Refusal::NoForm)?;
        let step = {
            let mut stage = lock(&self.stage);
            if !form.text("key").is_some_and(|key| door::is(&key, &stage.key)) {
                return Err(Refusal::Stale);
            }
            stage.until = Instant::now() + PATIENCE;
            // Sent twice: the first one counts.
            let Some(step) = stage.step.take() else { return Ok(()) };
            step
        };
        self.carry_on(step, Some(form)).await;
        Ok(())
    }

    /// From one step to the next: by a form, or because what it waited for is over.
    async fn carry_on(self: &Arc<Self>, step: Step, form: Option<Form>) {
        let (talk, (done, finished)) = (self.clone(), oneshot::channel());
        // Beside the connection: whoever closes the page stops nothing that they began.
        let taken = self.state.editor.spawn(async move {
            let mut course = talk.course.lock().await;
            let next = match form {
                Some(form) => course.act(step, form).await,
                None => course.go_on(step).await,
            };
            talk.stand(next);
            let _ = done.send(());
        });
        if !taken || finished.await.is_err() {
            self.stand(Step::failed("this could not be carried out; ask again in your editor"));
        }
    }

    fn stand(&self, step: Step) {
        let mut stage = lock(&self.stage);
        stage.step = Some(step);
        if let Ok(key) = door::random() {
            stage.key = key;
        }
        stage.until = Instant::now() + PATIENCE;
    }
}
