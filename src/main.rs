//! The binary: hands over to the library.

use std::io::{Write, stderr};
use std::process::ExitCode;

use oscar_metrics::Exit;
use oscar_metrics::args::Cli;

fn main() -> ExitCode {
    let exit = match Cli::read(std::env::args_os()) {
        Ok(cli) => match oscar_metrics::run(cli) {
            Ok(()) => Exit::Done,
            Err(failure) => {
                // Nobody is left to tell when standard error is closed.
                let _ = writeln!(stderr(), "oscar-metrics: {failure}");
                failure.exit
            }
        },
        Err(error) => {
            let _ = error.print();
            if error.use_stderr() { Exit::Usage } else { Exit::Done }
        }
    };
    ExitCode::from(exit as u8)
}
