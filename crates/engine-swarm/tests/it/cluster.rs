//! Machines for a test: each is a few namespaces of this one, with a Docker of its own. All of them
//! and the test are on one network.

use std::{
    fs::{self, File},
    io::Write as _,
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use secrecy::SecretString;
use tempfile::TempDir;
use windlass_domain::{Entropy as _, OsEntropy};
use windlass_engine_swarm::{Endpoint, Registry};

use crate::{
    authority::{Authority, files},
    site::{BASE_IMAGE, LONG, docker_at, socket},
};

/// What a registry that asks for a password takes, in the form of Apache's `htpasswd`.
pub(crate) const USERNAME: &str = "windlass";
pub(crate) const PASSWORD: &str = "s3cret";
const HTPASSWD: &str = "windlass:$2b$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n";

const REGISTRY_PORT: u16 = 5_000;
const TLS_PORT: u16 = 2_376;

/// Some machines. Dropping it ends and removes all of them.
pub(crate) struct Cluster {
    // Fields are dropped in this order: the files come last.
    registry: Option<Process>,
    nodes: Vec<Machine>,
    /// The switch that all are plugged into.
    hub: Process,
    name: String,
    subnet: [u8; 3],
    folder: TempDir,
}

/// One with a Docker.
struct Machine {
    process: Process,
    folder: PathBuf,
    cgroup: String,
}

/// A process with namespaces of its own, in which all ends with it.
struct Process {
    child: Child,
    /// What the namespaces end with.
    init: Option<i32>,
}

impl Cluster {
    /// Machines with these numbers of Docker, which are in no swarm yet; the first one has the
    /// image that apps of tests are built on.
    pub(crate) fn of(count: u8) -> Self {
        Self::make(count, false)
    }

    /// One machine, whose Docker listens with TLS as well.
    pub(crate) fn with_tls() -> Self {
        Self::make(1, true)
    }

    fn make(count: u8, with_tls: bool) -> Self {
        let mut random = [0; 5];
        OsEntropy.fill(&mut random);
        let [one, two, three, x, y] = random;
        let mut cluster = Self {
            registry: None,
            nodes: Vec::new(),
            hub: Process::with_namespaces(&["--net"], "read go", None),
            name: format!("wl{one:02x}{two:02x}{three:02x}"),
            subnet: [10, 128 + x % 100, y],
            folder: tempfile::Builder::new()
                .prefix("windlass-cluster-")
                .permissions(fs::Permissions::from_mode(0o711))
                .tempdir()
                .unwrap(),
        };
        for command in ["link add switch type bridge", "link set switch up"] {
            cluster.hub.ip(command);
        }
        cluster.plug_in(0);
        for number in 1..=count {
            cluster.add(number, with_tls);
        }
        for node in 1..=count {
            cluster.until_ready(node);
        }
        let image = cluster.folder.path().join("base.tar");
        let image = image.to_str().unwrap();
        docker_at(&socket(), &["save", "--output", image, BASE_IMAGE]);
        cluster.docker(1, &["load", "--input", image]);
        cluster
    }

    /// Makes the first one the manager of a swarm.
    pub(crate) fn init_swarm(&self) {
        let address = self.address(1).to_string();
        self.docker(1, &["swarm", "init", "--advertise-addr", &address, "--listen-addr", &address]);
    }

    pub(crate) fn address(&self, node: u8) -> IpAddr {
        let [a, b, c] = self.subnet;
        let last = if node == 0 { 1 } else { 10 + node };
        IpAddr::V4(Ipv4Addr::new(a, b, c, last))
    }

    pub(crate) fn socket(&self, node: u8) -> PathBuf {
        self.machine(node).folder.join("socket")
    }

    pub(crate) fn endpoint(&self, node: u8) -> Endpoint {
        Endpoint::Unix(self.socket(node))
    }

    /// The same, with TLS; the certificate is good for servers and clients.
    pub(crate) fn tls_endpoint(&self, node: u8) -> Endpoint {
        let [ca, certificate, key] = files(&self.machine(node).folder);
        let address = format!("{}:{TLS_PORT}", self.address(node));
        Endpoint::Tls { address, ca, certificate, key }
    }

    /// What Docker's own client says on one of them.
    pub(crate) fn docker(&self, node: u8, arguments: &[&str]) -> String {
        docker_at(&self.socket(node), arguments)
    }

    /// The power is cut: nothing of a machine ends in an orderly way.
    pub(crate) fn kill(&mut self, node: u8) {
        self.nodes.get_mut(usize::from(node) - 1).unwrap().process.end();
    }

    /// Where images are put: `docker-registry` on the first machine, with a password or without.
    pub(crate) fn start_registry(&mut self, asks: bool) -> Registry {
        let folder = self.folder.path().join("registry");
        fs::create_dir(&folder).unwrap();
        let passwords = folder.join("passwords");
        fs::write(&passwords, HTPASSWD).unwrap();
        let address = self.registry_address();
        let auth = if asks {
            format!("auth: {{htpasswd: {{realm: test, path: '{}'}}}}\n", passwords.display())
        } else {
            String::new()
        };
        let data = folder.join("data");
        let settings = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\n\
             http: {{addr: '{address}'}}\n{auth}",
            data.display(),
        );
        let path = folder.join("settings.yml");
        fs::write(&path, settings).unwrap();
        let log = File::create(folder.join("log")).unwrap();
        let net = self.machine(1).process.net();
        let child = dying_with_us("nsenter")
            .args([&net, "docker-registry", "serve"])
            .arg(path)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.registry = Some(Process { child, init: None });
        until_true("the registry listens", || std::net::TcpStream::connect(&address).is_ok());
        let (username, password) = if asks { (USERNAME, PASSWORD) } else { ("", "") };
        Registry {
            address: format!("{address}/team"),
            username: username.to_owned(),
            password: SecretString::from(password),
        }
    }

    fn registry_address(&self) -> String {
        format!("{}:{REGISTRY_PORT}", self.address(1))
    }

    fn machine(&self, node: u8) -> &Machine {
        self.nodes.get(usize::from(node) - 1).unwrap()
    }

    /// Connects something with the others: 0 is the test.
    fn plug_in(&self, number: u8) {
        let (cable, socket) = (format!("{}-{number}", self.name), format!("p{number}"));
        let hub = self.hub.pid().to_string();
        let ip = |line: &str| run(Command::new("ip").args(line.split(' ')));
        ip(&format!("link add {cable} type veth peer name {socket} netns {hub}"));
        self.hub.ip(&format!("link set {socket} master switch up"));
        let address = format!("{}/24", self.address(number));
        if number == 0 {
            ip(&format!("address add {address} dev {cable}"));
            ip(&format!("link set {cable} up"));
            return;
        }
        let machine = &self.machine(number).process;
        ip(&format!("link set {cable} netns {}", machine.pid()));
        machine.ip(&format!("link set {cable} name eth0"));
        machine.ip(&format!("address add {address} dev eth0"));
        machine.ip("link set eth0 up");
        machine.ip("link set lo up");
    }

    fn add(&mut self, number: u8, with_tls: bool) {
        let folder = self.folder.path().join(format!("node{number}"));
        fs::create_dir(&folder).unwrap();
        let settings = format!("{{\"insecure-registries\": [\"{}\"]}}", self.registry_address());
        fs::write(folder.join("settings.json"), settings).unwrap();
        let at = |name: &str| folder.join(name).display().to_string();
        let tls = if with_tls {
            let address = self.address(number).to_string();
            let [ca, certificate, key] = Authority::new().write(&folder, &address);
            format!(
                "--host=tcp://{address}:{TLS_PORT} --tlsverify --tlscacert={} --tlscert={} \
                 --tlskey={}",
                ca.display(),
                certificate.display(),
                key.display()
            )
        } else {
            String::new()
        };
        let cgroup = format!("{}-{number}", self.name);
        // Its own `/run`, which dockerd does not share; and no systemd, which is not in there.
        let script = format!(
            "hostname node{number}; mount -t tmpfs tmpfs /run; read go; \
             dockerd --host=unix://{} --data-root={} --exec-root={} --pidfile={} \
             --config-file={} --cgroup-parent=/{cgroup} --exec-opt native.cgroupdriver=cgroupfs \
             --no-new-privileges --log-level=warn {tls} & wait",
            at("socket"),
            at("data"),
            at("exec"),
            at("pid"),
            at("settings.json"),
        );
        let log = File::create(folder.join("log")).unwrap();
        let kinds = ["--net", "--mount", "--pid", "--mount-proc", "--uts"];
        let process = Process::with_namespaces(&kinds, &script, Some(log));
        self.nodes.push(Machine { process, folder, cgroup });
        self.plug_in(number);
        let stdin = self.nodes.last_mut().unwrap().process.child.stdin.take();
        stdin.unwrap().write_all(b"\n").unwrap();
    }

    fn until_ready(&self, node: u8) {
        let socket = self.socket(node);
        until_true("Docker is ready", || {
            let host = format!("unix://{}", socket.display());
            let mut version = Command::new("docker");
            version.args(["--host", &host, "version"]).output().unwrap().status.success()
        });
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            node.process.end();
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.process.end();
        remove_cgroups(&self.cgroup);
    }
}

impl Process {
    /// Something that runs a shell's script in new namespaces, and is killed when the test is.
    fn with_namespaces(kinds: &[&str], script: &str, log: Option<File>) -> Self {
        let mut command = dying_with_us("unshare");
        command.args(kinds).args(["--fork", "--kill-child", "sh", "-c", script]);
        // Its helpers are where ordinary users do not look.
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::piped());
        match log {
            Some(log) => command.stdout(log.try_clone().unwrap()).stderr(log),
            None => command.stderr(Stdio::null()),
        };
        let child = command.spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let mut init = None;
        until_true("it has its namespaces", || {
            let pids = fs::read_to_string(&children).unwrap_or_default();
            init = pids.split_whitespace().next().and_then(|pid| pid.parse().ok());
            init.is_some()
        });
        Self { child, init }
    }

    /// A process in the namespaces.
    fn pid(&self) -> i32 {
        self.init.unwrap()
    }

    fn net(&self) -> String {
        format!("--net=/proc/{}/ns/net", self.pid())
    }

    /// Changes the network that is inside.
    fn ip(&self, line: &str) {
        run(Command::new("nsenter").args([&self.net(), "ip"]).args(line.split(' ')));
    }

    /// Ends all that is inside, and waits for it.
    fn end(&mut self) {
        if let Some(init) = self.init.take()
            && let Some(init) = rustix::process::Pid::from_raw(init)
        {
            // Killed first, so that the one that waits for it does so to its end.
            let _ = rustix::process::kill_process(init, rustix::process::Signal::KILL);
        } else {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A program that is killed when this thread ends, whatever it ends of.
fn dying_with_us(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// What containers that were killed leave.
fn remove_cgroups(name: &str) {
    let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let roots = hierarchies.map(|entry| entry.path()).chain(["/sys/fs/cgroup".into()]);
    for group in roots.map(|root| root.join(name)).filter(|group| group.is_dir()) {
        remove_groups(&group);
    }
}

fn remove_groups(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

fn until_true(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}
