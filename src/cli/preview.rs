//! `preview`: what readers will get, in a browser on this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer;
use crate::web::http::Socket;
use crate::web::preview;

/// Where the preview is when nobody says otherwise and the port is free.
const PORT: u16 = 4747;

/// Whether the author's browser is shown the preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// It is opened.
    Open,
    /// The author does that.
    Leave,
}

/// Serves until it is interrupted.
pub fn run(context: &Context, port: Option<u16>, browser: Browser) -> Result<Exit, Failure> {
    let socket = bind(port)?;
    let url = format!("http://{}/", socket.address());
    let runtime = super::publish::runtime()?;
    printer::say(&format!("preview: {url} (end it with Ctrl-C)"));
    if browser == Browser::Open {
        open(&url);
    }
    let (root, environment) = (context.directory.clone(), context.environment.clone());
    runtime.block_on(async {
        tokio::select! {
            () = preview::serve(socket, root, environment) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    });
    Ok(Exit::Done)
}

/// The wished port, or else the usual one, or else any.
fn bind(port: Option<u16>) -> Result<Socket, Failure> {
    let at = |port| Socket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let bound = match port {
        Some(port) => at(port),
        None => at(PORT).or_else(|_| at(0)),
    };
    bound.map_err(|error| Failure::usage(format!("--port {}: {error}", port.unwrap_or(PORT))))
}

/// Shows the browser the way. Whether there is one is not our business: the address is printed.
fn open(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = Command::new(opener).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if quiet.is_err() {
        printer::say(&format!("no `{opener}` here: open the address yourself"));
    }
}
