//! `bench [NAME…] [--long] [--short] [--json FILE] [--publish] [--against FILE] [--markdown]`:
//! measures the entries of the form, or the named ones, and prints one table. Exits with 1 if a row
//! does not hold, with 2 if the command line is wrong.
//!
//! `cargo xtask bench` builds what is measured and starts this program. The program then starts
//! itself again on a private desktop, so that it does not write to the developer's keyring, and
//! with a certificate that its clients trust. `bench --child NAME …` runs the child process that an
//! entry measures from outside.

#[cfg(target_os = "linux")]
mod linux {
    use std::path::PathBuf;
    use std::process::ExitCode;

    use vestibule_acceptance::{Desktop, artifacts};
    use vestibule_bench::machine::Machine;
    use vestibule_bench::publish::Published;
    use vestibule_bench::registry::{self, ENTRIES, Outcome};
    use vestibule_bench::report::Report;
    use vestibule_bench::setting::{Form, Setting};
    use vestibule_bench::{child, plot, table, tls};

    const HELP: &str = "\
bench [NAME…]        measure everything, or the named entries, and print one table
  --long             also entries with hours of use or minutes of idling
  --short            a few samples of each, not compared with the targets
  --list             the names, and how many seconds each takes
  --needs            the builds that this needs
  --json FILE        write every sample to a file
  --publish          write docs/bench.json and the README's table; rows that are not measured
                     stay, marked with their day
  --against FILE     compare with the file of an earlier run
  --markdown         the table as in the README
";
    const INSIDE: &str = "VESTIBULE_BENCH_INSIDE";

    /// What the command line asks for.
    struct Asked {
        form: Form,
        names: Vec<String>,
        list: bool,
        needs: bool,
        json: Option<PathBuf>,
        against: Option<PathBuf>,
        publish: bool,
        markdown: bool,
    }

    pub fn main() -> ExitCode {
        let mut arguments = std::env::args().skip(1).peekable();
        if arguments.next_if(|first| first == "--child").is_some() {
            return child::run(&arguments.collect::<Vec<_>>());
        }
        let asked = match parse(arguments) {
            Ok(Some(asked)) => asked,
            Ok(None) => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            Err(wrong) => {
                eprintln!("{wrong}\n{HELP}");
                return ExitCode::from(2);
            }
        };
        let done = match asked {
            asked if asked.list => {
                list();
                Ok(true)
            }
            asked if asked.needs => can_be_done(&asked).map(|()| {
                needs(&asked);
                true
            }),
            asked if std::env::var_os(INSIDE).is_some() => measure(&asked),
            asked => can_be_done(&asked).and_then(|()| on_a_desktop()),
        };
        match done {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        }
    }

    fn parse(mut arguments: impl Iterator<Item = String>) -> Outcome<Option<Asked>> {
        let mut asked = Asked {
            form: Form::Usual,
            names: Vec::new(),
            list: false,
            needs: false,
            json: None,
            against: None,
            publish: false,
            markdown: false,
        };
        while let Some(argument) = arguments.next() {
            let mut file = || arguments.next().ok_or(format!("{argument} wants a file"));
            match argument.as_str() {
                "--long" => asked.form = Form::Long,
                "--short" => asked.form = Form::Short,
                "--list" => asked.list = true,
                "--needs" => asked.needs = true,
                "--json" => asked.json = Some(file()?.into()),
                "--publish" => asked.publish = true,
                "--against" => asked.against = Some(file()?.into()),
                "--markdown" => asked.markdown = true,
                "--help" | "-h" => return Ok(None),
                name if ENTRIES.iter().any(|entry| entry.id == name) => asked.names.push(argument),
                other => {
                    let known: Vec<_> = ENTRIES.iter().map(|entry| entry.id).collect();
                    return Err(format!(
                        "there is no {other}; there are {}",
                        known.join(", ")
                    ));
                }
            }
        }
        if asked.publish && asked.form == Form::Short {
            return Err("a short run is not published: use --short or --publish, not both".into());
        }
        Ok(Some(asked))
    }

    fn list() {
        for entry in ENTRIES {
            let long = if entry.long_only { ", with --long" } else { "" };
            println!(
                "{:<14} {} ({} s{long})",
                entry.id, entry.figure, entry.seconds
            );
        }
    }

    fn needs(asked: &Asked) {
        let entries = registry::selected(&asked.names, asked.form);
        let mut needs: Vec<_> = entries.iter().flat_map(|entry| entry.needs).collect();
        needs.sort();
        needs.dedup();
        for need in needs {
            println!("{}", need.name());
        }
    }

    /// Runs this program again on a private desktop. Returns whether all rows hold.
    fn on_a_desktop() -> Outcome<bool> {
        let desktop = Desktop::open();
        tls::make(desktop.home())?;
        let own = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
        let status = desktop
            .command(own)
            .args(std::env::args_os().skip(1))
            .envs(tls::environment(desktop.home()))
            .env(INSIDE, "1")
            .status();
        match status
            .map_err(|error| format!("this program: {error}"))?
            .code()
        {
            Some(0) => Ok(true),
            Some(_) => Ok(false),
            None => Err("the measuring process was killed".into()),
        }
    }

    /// Fails now for what would otherwise fail at the end of the run.
    fn can_be_done(asked: &Asked) -> Outcome<()> {
        earlier(asked)?;
        match asked.publish {
            true => Published::here().check(),
            false => Ok(()),
        }
    }

    fn earlier(asked: &Asked) -> Outcome<Option<Report>> {
        asked.against.as_deref().map(Report::read).transpose()
    }

    fn measure(asked: &Asked) -> Outcome<bool> {
        let earlier = earlier(asked)?;
        let program = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
        let folder = artifacts().with_file_name("bench");
        // The plots of three samples must not replace those of a real run.
        let folder = match asked.form {
            Form::Short => folder.join("short"),
            Form::Usual | Form::Long => folder,
        };
        let setting = Setting::new(asked.form, program, folder.clone());
        let entries = registry::selected(&asked.names, asked.form);
        let machine = Machine::here();
        eprintln!("{}", registry::plan(&entries, asked.form));
        let (rows, took) = {
            let entries = &entries;
            // The builds and sessions that the entries share are dropped inside the runtime.
            let run = async move { registry::run(entries, &setting).await };
            registry::runtime().block_on(run)
        };
        let plots = plot::draw(&rows, &folder);
        let plots = plots.map_err(|error| format!("{}: {error}", folder.display()))?;
        let report = Report::new(machine, rows);
        if let Some(file) = &asked.json {
            report.write(file)?;
        }
        println!("{}; {}\n", report.machine.words(), report.load());
        match asked.markdown {
            true => print!("{}", table::markdown(&report.rows)),
            false => print!("{}", table::text(&report.rows)),
        }
        if let Some(earlier) = &earlier {
            print!("{}", report.against(earlier));
        }
        eprintln!("{} plots are in {}", plots.len(), folder.display());
        eprintln!("{}", registry::account(&took, asked.form));
        let holds = report.rows.iter().all(|row| row.holds != Some(false));
        if asked.publish {
            let published = Published::here();
            published.renew(report)?;
            let files = [&published.json, &published.readme].map(|file| file.display());
            eprintln!("renewed {} and {}", files[0], files[1]);
        }
        Ok(holds)
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("windows are driven on Linux only, so the figures are taken there");
    std::process::ExitCode::FAILURE
}
