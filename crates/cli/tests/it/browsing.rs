//! What takes a browser: a terminal, a server and a real browser, as a person has them.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use fantoccini::Locator;
use rexpect::session::PtySession;

use crate::support::{Browser, Server, User};

const ADA: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery staple";
/// How long anything on a page may take, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);

/// The address that is to be opened.
fn address(terminal: &mut PtySession, server: &Server) -> String {
    terminal.exp_string("Allow it in a browser on this machine:").unwrap();
    let (_, address) = terminal.exp_regex(r"http://\S+/authorize\?\S+").unwrap();
    assert!(address.starts_with(&server.url), "{address}");
    address
}

impl Browser {
    /// Makes somebody the owner, who has signed in then.
    async fn set_up(&self, server: &Server) {
        self.page.goto(&server.set_up_link()).await.unwrap();
        self.fill_in("#email", ADA).await;
        self.fill_in("#name", "Ada").await;
        self.fill_in("#password", PASSWORD).await;
        self.click("button").await;
        self.element("#swagger-ui").await;
    }

    async fn reads(&self, text: &str) {
        let found = self.page.wait().at_most(PATIENCE);
        let found = found.for_element(Locator::XPath(&format!("//p[contains(., '{text}')]"))).await;
        found.unwrap_or_else(|err| panic!("{text}: {err}"));
    }
}

#[tokio::test]
async fn a_person_logs_in_and_out_with_their_browser() {
    let server = Server::start();
    let browser = Browser::open().await;
    browser.set_up(&server).await;
    browser.page.delete_all_cookies().await.unwrap();
    let user = User::new();

    let command = format!("login {} --no-browser --expires-in 12h", server.url);
    let mut terminal = user.at_terminal(&command);
    browser.page.goto(&address(&mut terminal, &server)).await.unwrap();
    browser.fill_in("#email", ADA).await;
    browser.fill_in("#password", PASSWORD).await;
    browser.click("button").await;
    browser.reads("wants to do all that you may do").await;
    browser.click("button[value=allow]").await;
    browser.reads("you can close this page").await;
    terminal.exp_string("logged in to ").unwrap();
    terminal.exp_string("as Ada with the token \"windlass on ").unwrap();
    terminal.exp_eof().unwrap();

    let credentials = user.file(".config/windlass/credentials.toml");
    assert_eq!(fs::metadata(&credentials).unwrap().permissions().mode() & 0o777, 0o600);
    let tokens = user.json("tokens list");
    assert_eq!((&tokens[0]["kind"], &tokens[0]["status"]), (&"login".into(), &"active".into()));
    // Who logs in again has the place of the one before, which is of use to nobody any more.
    let mut terminal = user.at_terminal(&format!("login {} --no-browser", server.url));
    browser.page.goto(&address(&mut terminal, &server)).await.unwrap();
    browser.click("button[value=allow]").await;
    terminal.exp_string("logged in to ").unwrap();
    terminal.exp_eof().unwrap();
    let tokens = user.json("tokens list");
    assert_eq!((&tokens[0]["status"], &tokens[1]["status"]), (&"active".into(), &"revoked".into()));

    // It does what its person does.
    user.json("tokens create --read-only");
    user.json("members invite grace@example.com");

    let text = fs::read_to_string(&credentials).unwrap();
    let token = text.split('"').find(|text| text.len() > 100).unwrap();
    let copy = User::new().with("WINDLASS_TOKEN", token).with("WINDLASS_SERVER", &server.url);
    copy.run("whoami").succeeded();
    user.run("logout").succeeded();
    copy.run("whoami").failed_with(3);
    user.run("whoami").failed_with(3);
    browser.page.close().await.unwrap();
}

#[tokio::test]
async fn what_is_denied_is_not_waited_for_and_the_browser_is_opened() {
    let server = Server::start();
    let browser = Browser::open().await;
    browser.set_up(&server).await;
    // What opens browsers on this machine.
    let user = User::new();
    let opened = user.file("opened");
    let user = user.with_program("xdg-open", &format!("printf %s \"$1\" > {}", opened.display()));

    let mut terminal = user.at_prompt(&format!("login {}", server.url));
    let address = address(&mut terminal, &server);
    browser.page.goto(&address).await.unwrap();
    browser.click("button[value=deny]").await;
    browser.reads("Nothing was allowed").await;
    terminal.exp_string("error: it was denied in the browser").unwrap();
    terminal.exp_string("code 1").unwrap();
    terminal.exp_eof().unwrap();
    assert_eq!(fs::read_to_string(opened).unwrap(), address);
    assert!(!user.file(".config/windlass/credentials.toml").exists());
    browser.page.close().await.unwrap();
}

#[test]
fn nobody_is_waited_for_for_ever() {
    let server = Server::start();
    let user = User::new();
    let command = format!("login {} --no-browser --timeout 1s", server.url);
    let failed = user.run(&command).failed_with(1);
    assert!(failed.err.contains("nobody has allowed it in the browser in time"), "{failed:?}");

    let mut terminal = user.at_terminal(&format!("login {} --no-browser", server.url));
    address(&mut terminal, &server);
    terminal.send_control('c').unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn whoever_comes_with_something_else_is_sent_away_and_the_wait_goes_on() {
    use std::{
        io::{Read as _, Write as _},
        net::TcpStream,
    };

    let server = Server::start();
    let user = User::new();
    let mut terminal = user.at_terminal(&format!("login {} --no-browser", server.url));
    let address = address(&mut terminal, &server);
    let query = address.split_once('?').unwrap().1;
    let asked = |wanted: &str| {
        let mut all = form_urlencoded::parse(query.as_bytes());
        all.find(|(name, _)| name == wanted).unwrap().1.into_owned()
    };
    let redirect = asked("redirect_uri");
    let host = redirect.strip_prefix("http://").unwrap().strip_suffix("/callback").unwrap();
    // One that says nothing holds nobody up.
    let _silent = TcpStream::connect(host).unwrap();
    let ask = |request: &str| {
        let mut connection = TcpStream::connect(host).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    };
    for request in [
        "GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /callback?code=wlc_1&state=guessed HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let answer = ask(request);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{request}: {answer}");
    }
    // The right state with a code that the server does not know.
    let state = asked("state");
    ask(&format!("GET /callback?code=wlc_1&state={state} HTTP/1.1\r\nHost: x\r\n\r\n"));
    terminal.exp_string("this code does not work (any more)").unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn what_cannot_be_ended_is_forgotten_all_the_same() {
    let user = User::new();
    let folder = user.file(".config/windlass");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("credentials.toml");
    // Nobody listens there.
    let stored =
        "[default]\nserver = \"http://127.0.0.1:1\"\ntoken = \"Eabc\"\norigin = \"login\"\n";
    fs::write(&file, stored).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let failed = user.run("logout").failed_with(7);
    assert!(failed.err.contains("the token goes on working"), "{failed:?}");
    assert!(!fs::read_to_string(file).unwrap().contains("Eabc"));
}

#[tokio::test]
async fn whoever_is_invited_follows_the_link_and_comes_in() {
    let server = Server::start();
    let made = User::of(&server).json("members invite grace@example.com --role viewer");
    let link = made["url"].as_str().unwrap();
    assert!(link.starts_with(&format!("{}/invitation?token=", server.url)), "{link}");
    let browser = Browser::open().await;
    browser.page.goto(link).await.unwrap();
    browser.reads("You are invited to").await;
    browser.fill_in("#name", "Grace").await;
    browser.fill_in("#password", PASSWORD).await;
    browser.click("button").await;
    browser.element("#swagger-ui").await;
    let members = User::of(&server).json("members list");
    assert_eq!((&members[0]["name"], &members[0]["role"]), (&"Grace".into(), &"viewer".into()));
    browser.page.goto(link).await.unwrap();
    browser.reads("This invitation").await;
    browser.page.close().await.unwrap();
}
