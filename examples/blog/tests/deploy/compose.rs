//! The Compose file, the Dockerfile, and the configuration of Prometheus and Grafana.

use super::*;

#[test]
fn the_compose_file_matches_the_program() {
    let compose = yaml("docker-compose.yml");
    let services = compose["services"].as_object().unwrap();
    let dockerfile = text("Dockerfile");

    // A service that another one waits for has a health check.
    for (name, service) in services {
        let image = service["image"].as_str();
        let pinned = image.is_none_or(|image| image.contains(':') && !image.ends_with(":latest"));
        assert!(pinned, "{name}: {image:?}");
        for (on, how) in service["depends_on"].as_object().into_iter().flatten() {
            assert_eq!(how["condition"], "service_healthy");
            let is_checked = services[on]["healthcheck"].is_object()
                || (on == "blog" && dockerfile.contains("HEALTHCHECK"));
            assert!(is_checked, "{on} has no health check");
        }
        // Mounted files and volumes exist.
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let (from, _) = string(volume).split_once(':').unwrap();
            let exists = match from.strip_prefix("./") {
                Some(path) => Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(),
                None => compose["volumes"].as_object().unwrap().contains_key(from),
            };
            assert!(exists, "{name} mounts {from}");
        }
    }
    let build = &services["blog"]["build"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(string(&build["context"]));
    assert!(
        root.join("Cargo.lock").exists(),
        "the build context is the whole workspace"
    );
    assert!(root.join(string(&build["dockerfile"])).exists());

    // The program reads each environment variable.
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_blog"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let of_image = dockerfile.split_whitespace().filter_map(|word| {
        let (name, _) = word.split_once('=')?;
        name.starts_with("BLOG_").then_some(name)
    });
    let of_service = services["blog"]["environment"].as_object().unwrap();
    let variables: Vec<&str> = of_image
        .chain(of_service.keys().map(String::as_str))
        .collect();
    assert!(variables.contains(&"DATABASE_URL") && variables.contains(&"BLOG_PORT"));
    for variable in variables {
        // The help shows `VARIABLE=value`, or only the name if the value is hidden.
        let is_read = ["=", "]"].map(|end| format!("[env: {variable}{end}"));
        let is_read = is_read.iter().any(|text| help.contains(text));
        assert!(is_read, "{variable} is not read");
    }

    // The program uses the account of the database.
    let database = services["postgres"]["environment"].as_object().unwrap();
    let url = format!(
        "postgres://{}:{}@postgres:5432/{}",
        string(&database["POSTGRES_USER"]),
        string(&database["POSTGRES_PASSWORD"]),
        string(&database["POSTGRES_DB"])
    );
    assert_eq!(of_service["DATABASE_URL"], url);
}

#[tokio::test]
async fn ports_and_paths_match_between_services() {
    let compose = yaml("docker-compose.yml");
    let services = &compose["services"];
    let published = |service: &str| -> Vec<String> {
        let ports = array(&services[service]["ports"]).map(string);
        ports
            .map(|port| {
                // Published on the loopback interface only.
                let port = port.strip_prefix("127.0.0.1:").unwrap();
                port.split_once(':').unwrap().1.to_owned()
            })
            .collect()
    };
    let dockerfile = text("Dockerfile");
    assert!(dockerfile.contains("BLOG_PORT=8000"));
    assert!(dockerfile.contains("\nEXPOSE 8000\n"));
    assert_eq!(published("blog"), ["8000"]);

    let blog = Blog::start(0).await;
    let is_ok = async |path: &str| {
        let response = blog.client.get(format!("{}{path}", blog.url)).send().await;
        response.unwrap().status() == 200
    };
    let check = dockerfile.split("http://127.0.0.1:8000").nth(1).unwrap();
    let path = check.split('"').next().unwrap();
    assert_eq!(path, "/health");
    assert!(is_ok(path).await);

    let prometheus = yaml("deploy/prometheus.yml");
    let jobs: Vec<&Value> = array(&prometheus["scrape_configs"]).collect();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0]["job_name"], "blog");
    assert_eq!(
        jobs[0]["static_configs"],
        json!([{"targets": ["blog:8000"]}])
    );
    assert!(is_ok(string(&jobs[0]["metrics_path"])).await);
    // Prometheus and Grafana find their files where they are mounted.
    let mounts = |service: &str| -> Vec<String> {
        let volumes = array(&services[service]["volumes"]).map(string);
        volumes
            .map(|volume| volume.split(':').nth(1).unwrap().to_owned())
            .collect()
    };
    for file in array(&prometheus["rule_files"]).map(string) {
        assert!(mounts("prometheus").contains(&file.to_owned()), "{file}");
    }
    let dashboards = yaml("deploy/grafana/provisioning/dashboards/blog.yml");
    let path = string(&dashboards["providers"][0]["options"]["path"]);
    assert!(mounts("grafana").contains(&path.to_owned()), "{path}");
    let home = &services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"];
    assert_eq!(home, &format!("{path}/blog.json"));

    let sources = yaml("deploy/grafana/provisioning/datasources/prometheus.yml");
    let source = &sources["datasources"][0];
    assert_eq!(published("prometheus"), ["9090"]);
    assert_eq!(source["url"], "http://prometheus:9090");
    assert_eq!(
        source["jsonData"]["timeInterval"],
        prometheus["global"]["scrape_interval"]
    );
    let dashboard = dashboard();
    for panel in array(&dashboard["panels"]).filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], source["uid"]);
        assert!(
            array(&panel["targets"]).all(|target| target["datasource"]["uid"] == source["uid"])
        );
    }
}
