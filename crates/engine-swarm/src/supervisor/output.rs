//! What the daemon says about a build, as lines.

use bollard::models::BuildInfo;
use windlass_domain::LogStream;
use windlass_engine_kit::log::{Lines, Log};

/// How the daemon marks what a command printed to its standard error.
const ERROR_BEGIN: &str = "\u{1b}[91m";
const ERROR_END: &str = "\u{1b}[0m";
/// How many digits of an id the daemon shows.
const SHORT_ID: usize = 12;

/// Brings it into the log, and finds out what has to be known.
pub(super) struct Output {
    log: Log,
    stdout: Lines,
    stderr: Lines,
    /// A step was named, and the end of its line comes by itself.
    is_in_step: bool,
}

/// What the daemon says besides what commands print.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A step runs in this container. A command could have printed that, too.
    Container(String),
    /// The image is there, under this id.
    Image(String),
}

impl Output {
    pub(super) fn new(log: Log) -> Self {
        Self { log, stdout: Lines::default(), stderr: Lines::default(), is_in_step: false }
    }

    pub(super) fn take(&mut self, info: BuildInfo) -> Option<News> {
        if let Some(id) = info.aux.and_then(|image| image.id) {
            return Some(News::Image(id));
        }
        if let Some(status) = info.status {
            // Layers that come and go have an id; they are progress and not news.
            if info.id.is_none() && info.progress_detail.is_none() {
                self.say(&status);
            }
            return None;
        }
        let text = info.stream?;
        if let Some(text) = text.strip_prefix(ERROR_BEGIN) {
            let text = text.strip_suffix(ERROR_END).unwrap_or(text);
            self.print(text, LogStream::Stderr);
            return None;
        }
        if std::mem::take(&mut self.is_in_step) && text == "\n" {
            return None;
        }
        match own_words(&text) {
            Some(Words::Step) => {
                self.is_in_step = true;
                self.say(text.trim_end());
            }
            Some(Words::Container(id)) => return Some(News::Container(id)),
            Some(Words::Needless) => {}
            None => self.print(&text, LogStream::Stdout),
        }
        None
    }

    /// Nothing will come any more.
    pub(super) fn end(&mut self) {
        let mut spool = self.log.lock();
        self.stdout.end(&mut spool, LogStream::Stdout);
        self.stderr.end(&mut spool, LogStream::Stderr);
        let _ = spool.flush();
    }

    fn print(&mut self, text: &str, stream: LogStream) {
        let lines = match stream {
            LogStream::Stderr => &mut self.stderr,
            LogStream::Stdout | LogStream::System => &mut self.stdout,
        };
        let mut spool = self.log.lock();
        lines.add(text.as_bytes(), &mut spool, stream);
        // A log that can't be written is no reason to end what it is about.
        let _ = spool.flush();
    }

    fn say(&mut self, text: &str) {
        self.end();
        self.log.say(text);
    }
}

/// What the builder itself says.
#[derive(Debug, PartialEq, Eq)]
enum Words {
    Step,
    Container(String),
    /// What only somebody with a terminal on the daemon could use.
    Needless,
}

fn own_words(text: &str) -> Option<Words> {
    let text = text.trim_end();
    if let Some(id) = text.strip_prefix(" ---> Running in ").filter(|id| is_short_id(id)) {
        return Some(Words::Container(id.to_owned()));
    }
    let is_step = |rest: &str| {
        let numbers = rest.split(' ').next().and_then(|word| word.split_once('/'));
        numbers.is_some_and(|(one, all)| [one, all].iter().all(|it| it.parse::<u32>().is_ok()))
    };
    if text.strip_prefix("Step ").is_some_and(is_step) || text == " ---> Using cache" {
        return Some(Words::Step);
    }
    let is_needless = [" ---> ", "Removing intermediate container ", "Successfully built "]
        .iter()
        .any(|beginning| text.strip_prefix(beginning).is_some_and(is_short_id))
        || text.starts_with("Successfully tagged ");
    is_needless.then_some(Words::Needless)
}

fn is_short_id(text: &str) -> bool {
    text.len() == SHORT_ID && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use bollard::models::{BuildInfo, ImageId};
    use windlass_domain::LogStream;
    use windlass_engine_kit::{
        log::Log,
        spool::{Policy, Reader, Spool},
    };

    use super::{News, Output};

    fn stream(text: &str) -> BuildInfo {
        BuildInfo { stream: Some(text.to_owned()), ..BuildInfo::default() }
    }

    #[test]
    fn what_commands_print_is_told_from_what_the_builder_says() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), Policy::DropNew { bytes: 1 << 20 }).unwrap();
        let mut output = Output::new(Log::new(spool));
        let id = "0123456789ab";
        let news: Vec<News> = [
            "Step 1/2 : RUN make",
            "\n",
            &format!(" ---> Running in {id}\n"),
            "on",
            "e",
            "\n",
            "two\n",
            "\u{1b}[91mbad\n\u{1b}[0m",
            &format!("Removing intermediate container {id}\n"),
            &format!(" ---> {id}\n"),
            "Step by step\n",
            "no end",
        ]
        .into_iter()
        .filter_map(|text| output.take(stream(text)))
        .collect();
        output.end();
        assert_eq!(news, [News::Container(id.to_owned())]);
        let lines = Reader::new(folder.path(), 0).read().unwrap();
        let lines: Vec<_> = lines.iter().map(|it| (it.stream, it.text.as_str())).collect();
        let (out, err, own) = (LogStream::Stdout, LogStream::Stderr, LogStream::System);
        let expected = [
            (own, "Step 1/2 : RUN make"),
            (out, "one"),
            (out, "two"),
            (err, "bad"),
            (out, "Step by step"),
            (out, "no end"),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_image_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), Policy::DropNew { bytes: 1 << 20 }).unwrap();
        let mut output = Output::new(Log::new(spool));
        let image = ImageId { id: Some("sha256:1".to_owned()) };
        let news = output.take(BuildInfo { aux: Some(image), ..BuildInfo::default() });
        assert_eq!(news, Some(News::Image("sha256:1".to_owned())));
    }
}
