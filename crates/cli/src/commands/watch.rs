//! Waits for what has been asked for to come to its end.

use std::{thread, time::Duration};

use clap::Args;
use serde::de::DeserializeOwned;

use super::{deployments::Deployment, environments::Environment};
use crate::{
    client::{Address, Answer, Client, Event, LogLine, Refusal},
    context::Context,
    failure::{Failure, Result},
    output::{self, log_text},
};

/// How long the server holds an answer, in seconds.
const HELD: &str = "60";
/// How often a stream may break off in a row without having brought a line.
const ATTEMPTS: u32 = 10;
/// How long to wait before the next attempt.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether to stay until a deployment has come to its end.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Follow {
    /// Show the build's log as it grows, and stay until the app is live. Fails where it does not
    /// become so.
    #[arg(long, short)]
    follow: bool,
}

/// Which log of the API, and how far it has been read.
pub(super) struct Log<'a> {
    pub(super) client: &'a Client,
    pub(super) address: Address,
    pub(super) after: u64,
}

/// Why a log is not read on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// Nothing can follow.
    Ended,
    /// The connection broke off.
    BrokenOff,
}

/// Something whose state says whether it is gone.
pub(super) trait HasState {
    fn state(&mut self) -> &mut String;
}

impl Follow {
    pub(super) fn is_wanted(self) -> bool {
        self.follow
    }

    /// Shows a deployment that has just been asked for, or follows it to its end.
    pub(super) fn deployment(self, context: &Context, asked: &Answer<Deployment>) -> Result<()> {
        if !self.follow {
            return context.output.one(asked);
        }
        let client = context.client()?;
        let settled = follow(context, client, asked)?;
        let Deployment { environment_id, state, reason, .. } = &*settled;
        if context.output.is_json() {
            output::json(&settled.json)?;
        }
        if state != "live" && state != "superseded" {
            let reason = reason.as_deref().unwrap_or("no reason was given");
            return Err(Failure::Failed(format!("the deployment is {state}: {reason}")));
        }
        let address = Address::of(["environments", environment_id]);
        // It is live, whether or not the credential may see where.
        let url = client.get::<Environment>(&address).map(|found| found.url.clone());
        context.output.done(format!("{state} {}", url.unwrap_or_default()).trim_end())
    }
}

/// Shows the build's log until the deployment has come to its end.
fn follow(
    context: &Context,
    client: &Client,
    asked: &Answer<Deployment>,
) -> Result<Answer<Deployment>> {
    let Deployment { id, trigger, .. } = &**asked;
    // What these run has been built before.
    if !["rollback", "reset"].contains(&trigger.as_str()) {
        let mut log = Log { client, address: Address::of(["deployments", id, "logs"]), after: 0 };
        log.follow(&mut |line| {
            let text = log_text(&line.text);
            // The result is the deployment.
            if context.output.is_json() {
                output::note(text);
                return Ok(());
            }
            output::text(text)
        })?;
    }
    let address = Address::of(["deployments", id]).with("wait", HELD);
    loop {
        let deployment: Answer<Deployment> = client.get(&address)?;
        if !deployment.is_moving() {
            return Ok(deployment);
        }
    }
}

impl Log<'_> {
    /// Reads on until nothing can follow, over however many connections it takes.
    pub(super) fn follow(
        &mut self,
        each: &mut impl FnMut(&Answer<LogLine>) -> Result<()>,
    ) -> Result<()> {
        let mut attempt = 0;
        loop {
            let before = self.after;
            let broken_off = match self.stream(each) {
                Ok(Pause::Ended) => return Ok(()),
                Ok(Pause::BrokenOff) => None,
                Err(failure) if is_passing(&failure) => Some(failure),
                Err(failure) => return Err(failure),
            };
            attempt = if before < self.after { 0 } else { attempt + 1 };
            if ATTEMPTS <= attempt {
                let lost =
                    || Failure::Failed("the connection breaks off again and again".to_owned());
                return Err(broken_off.unwrap_or_else(lost));
            }
            thread::sleep(PAUSE);
        }
    }

    fn stream(&mut self, each: &mut impl FnMut(&Answer<LogLine>) -> Result<()>) -> Result<Pause> {
        for event in self.client.stream(&self.address, self.after)? {
            match event {
                Event::Line(line) => {
                    each(&line)?;
                    self.after = line.seq;
                }
                Event::End => return Ok(Pause::Ended),
            }
        }
        Ok(Pause::BrokenOff)
    }
}

/// Whether the same may come off a moment later: the server restarts, or has too much to do.
fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable { .. } => true,
        Failure::Refused(refusal) => matches!(refusal.status, 429 | 502..=504),
        Failure::Garbled { .. }
        | Failure::NotLoggedIn { .. }
        | Failure::Usage(_)
        | Failure::NotFound(_)
        | Failure::Failed(_)
        | Failure::File { .. }
        | Failure::Misshapen { .. }
        | Failure::Manifest(_)
        | Failure::Input(_)
        | Failure::Output(_) => false,
    }
}

/// Asks for something to be taken down, and again until it is gone if that is wanted. Asking again
/// changes nothing; that there is no such thing any more is what was wanted.
pub(super) fn until_gone<T: HasState + DeserializeOwned>(
    wait: bool,
    gone: &str,
    ask: impl Fn(Option<&str>) -> Result<Answer<T>>,
) -> Result<Answer<T>> {
    let held = wait.then_some(HELD);
    let mut answer = ask(held)?;
    while wait && answer.value.state() != gone {
        match ask(held) {
            Ok(next) => answer = next,
            Err(Failure::Refused(refusal)) if is_gone(&refusal) => {
                gone.clone_into(answer.value.state());
                answer.json["state"] = gone.into();
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(answer)
}

fn is_gone(refusal: &Refusal) -> bool {
    matches!(refusal.status, 404 | 409)
}
