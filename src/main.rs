//! The `synchroscope` command: the built-in implementations, and nothing else.

fn main() -> std::process::ExitCode {
    synchroscope::Observatory::new().main()
}
