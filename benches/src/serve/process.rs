//! Server processes, which end with this process, and their use of CPU and memory.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

/// A running server.
pub(crate) struct Process {
    child: Child,
    /// The server exits when this is closed, which the kernel does however this process ends.
    stdin: Option<ChildStdin>,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts a server, which prints its port in its first line.
    pub(crate) fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("it has a pipe")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let Ok(port) = line.trim().parse::<u16>() else {
            drop(stdin);
            let status = child.wait()?;
            bail!("{command:?} printed {line:?} instead of a port; {status}");
        };
        Ok(Self {
            child,
            stdin,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        })
    }

    /// The process and its descendants.
    pub(crate) fn pids(&self) -> Vec<u32> {
        with_children(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // An error here cannot be handled.
        let _ = self.child.wait();
    }
}

/// Processor time of processes since their start; zero on systems without `/proc`.
pub(crate) fn cpu(pids: &[u32]) -> Duration {
    pids.iter()
        .filter_map(|pid| stat(&format!("/proc/{pid}/stat")))
        .sum()
}

/// Processor time of this thread.
pub(crate) fn cpu_of_thread() -> Duration {
    stat("/proc/thread-self/stat").unwrap_or_default()
}

/// Resident memory of processes in bytes.
pub(crate) fn memory(pids: &[u32]) -> u64 {
    let resident = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    pids.iter().filter_map(resident).sum::<u64>() * 1024
}

/// User plus system time. In `/proc`, Linux reports them in hundredths of a second, whatever the
/// frequency of its timer is.
fn stat(path: &str) -> Option<Duration> {
    let text = std::fs::read_to_string(path).ok()?;
    // The name in parentheses may contain spaces and parentheses.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

fn with_children(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(pid) = all.get(next) {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        all.extend(
            children
                .split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
        next += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell script as a server.
    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_server_ends_with_its_input() {
        // This would wait forever if dropping did not close the input.
        let process = Process::start(shell("echo 4711; cat >/dev/null")).unwrap();
        assert_eq!(process.address.port(), 4711);
        drop(process);
    }

    #[test]
    fn a_server_that_prints_no_port_is_an_error() {
        let error = Process::start(shell("echo no; exit 3")).err().unwrap();
        assert!(error.to_string().contains("exit status: 3"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn cpu_and_memory_of_a_process_are_measured() {
        let own = [std::process::id()];
        let before = cpu(&own);
        let start = std::time::Instant::now();
        while cpu(&own) < before + Duration::from_millis(20) {
            assert!(start.elapsed() < Duration::from_secs(60));
        }
        assert!(memory(&own) > 1 << 20);
        assert_eq!(with_children(own[0])[0], own[0]);
    }
}
