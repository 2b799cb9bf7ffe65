//! A server of FTP for tests (RFC 959, 2428, 3659): passive transfers of files, and lists of names.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;

use super::files::{Fault, Files, Request, controls, version};

/// A server of FTP, which ends when it is dropped. Any user and password will do.
pub struct FtpServer {
    pub(super) files: Files,
    pub(super) address: SocketAddr,
}

controls!(FtpServer);

impl FtpServer {
    /// A server without files.
    #[must_use]
    pub fn start() -> Self {
        let files = Files::default();
        let address = files.listen(|files, stream| drop(Session::serve(files, stream)));
        Self { files, address }
    }

    /// A server of the files below `directory`.
    #[must_use]
    pub fn serving(directory: impl AsRef<Path>) -> Self {
        let server = Self::start();
        server.files.serve_directory(directory.as_ref());
        server
    }

    /// The address of `path`, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("ftp://{}{path}", self.address)
    }
}

/// One client.
struct Session<'a> {
    files: &'a Files,
    control: TcpStream,
    fields: BTreeMap<String, String>,
    directory: String,
    data: Option<TcpListener>,
    restart: u64,
    /// Faults of the file that was named last.
    faults: Vec<Fault>,
    named: Option<String>,
}

impl<'a> Session<'a> {
    fn serve(files: &'a Files, control: TcpStream) -> io::Result<()> {
        let input = BufReader::new(control.try_clone()?);
        let mut session = Self {
            files,
            control,
            fields: BTreeMap::new(),
            directory: "/".into(),
            data: None,
            restart: 0,
            faults: vec![],
            named: None,
        };
        session.reply("220 ready")?;
        for line in input.lines() {
            let line = line?;
            let (command, argument) = line.split_once(' ').unwrap_or((&line, ""));
            if command.eq_ignore_ascii_case("QUIT") {
                return session.reply("221 bye");
            }
            session.command(&command.to_uppercase(), argument)?;
        }
        Ok(())
    }

    fn reply(&mut self, text: &str) -> io::Result<()> {
        self.control.write_all(format!("{text}\r\n").as_bytes())
    }

    fn command(&mut self, command: &str, argument: &str) -> io::Result<()> {
        match command {
            "USER" => {
                self.fields.insert("user".into(), argument.into());
                self.reply("331 and the password")
            }
            "PASS" => {
                self.fields.insert("pass".into(), argument.into());
                self.reply("230 in")
            }
            "TYPE" => self.reply("200 so be it"),
            "CWD" => {
                self.directory = self.path(argument);
                self.reply("250 there")
            }
            "EPSV" if self.faults.contains(&Fault::NoEpsv) => self.reply("500 unknown"),
            "EPSV" | "PASV" => self.passive(command == "EPSV"),
            "SIZE" => self.size(argument),
            "MDTM" => self.changed(argument),
            "REST" if self.faults.contains(&Fault::IgnoreRange) => self.reply("502 not here"),
            "REST" => {
                self.restart = argument.parse().unwrap_or(0);
                self.reply("350 go on")
            }
            "RETR" => self.retrieve(argument),
            "LIST" | "NLST" => self.list(argument),
            _ => self.reply("502 unknown"),
        }
    }

    fn path(&self, name: &str) -> String {
        if name.starts_with('/') {
            return name.into();
        }
        format!("{}/{name}", self.directory.trim_end_matches('/'))
    }

    /// The faults of a file count from the first time that a session names it.
    fn name(&mut self, name: &str) -> String {
        let path = self.path(name);
        if self.named.as_ref() != Some(&path) {
            let request = Request { target: path.clone(), from: 0, fields: self.fields.clone() };
            self.faults = self.files.ask(&path, request);
            self.named = Some(path.clone());
        }
        path
    }

    fn passive(&mut self, extended: bool) -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        self.data = Some(listener);
        if extended {
            return self.reply(&format!("229 passive (|||{port}|)"));
        }
        self.reply(&format!("227 passive (127,0,0,1,{},{})", port >> 8, port & 255))
    }

    fn size(&mut self, name: &str) -> io::Result<()> {
        let path = self.name(name);
        let claimed = self.faults.iter().find_map(|fault| match fault {
            Fault::ClaimLength(bytes) => Some(*bytes),
            _ => None,
        });
        let hidden = self.faults.contains(&Fault::HideLength);
        match self.files.content(&path).filter(|_| !hidden) {
            Some(content) => self.reply(&format!("213 {}", claimed.unwrap_or(content.len() as u64))),
            None => self.reply("550 no size"),
        }
    }

    /// A date that is another one for other content.
    fn changed(&mut self, name: &str) -> io::Result<()> {
        let path = self.name(name);
        let hidden = self.faults.contains(&Fault::HideVersion);
        match self.files.content(&path).filter(|_| !hidden) {
            Some(content) => {
                let time = version(&content) % (60 * 60 * 24);
                let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
                self.reply(&format!("213 20260102{hour:02}{minute:02}{second:02}"))
            }
            None => self.reply("550 no date"),
        }
    }

    fn retrieve(&mut self, name: &str) -> io::Result<()> {
        let path = self.name(name);
        let from = std::mem::take(&mut self.restart);
        self.files.record_offset(&path, from);
        let refused = self.faults.iter().any(|fault| matches!(fault, Fault::Status(_)));
        let (Some(content), false) = (self.files.content(&path), refused) else {
            return self.reply("550 no such file");
        };
        let Some(data) = self.data.take() else { return self.reply("425 passive first") };
        self.reply("150 here it comes")?;
        let (mut to, _) = data.accept()?;
        let start = usize::try_from(from).unwrap_or(usize::MAX).min(content.len());
        let sent = self.files.send(&mut to, &content[start..], &self.faults);
        to.shutdown(Shutdown::Both)?;
        match sent {
            Ok(()) => self.reply("226 that was it"),
            Err(_) => self.reply("426 broken off"),
        }
    }

    fn list(&mut self, name: &str) -> io::Result<()> {
        let names = self.files.names(&self.path(name));
        let Some(data) = self.data.take() else { return self.reply("425 passive first") };
        self.reply("150 here it comes")?;
        let (mut to, _) = data.accept()?;
        for name in names {
            to.write_all(format!("{name}\r\n").as_bytes())?;
        }
        to.shutdown(Shutdown::Both)?;
        self.reply("226 that was it")
    }
}
