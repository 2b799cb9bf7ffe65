//! The login classes of users, by the text of master.passwd(5). It opens no file.

/// The class of `user`; `None` for one that has none, or that is not there.
pub(crate) fn class_of(text: &str, user: &str) -> Option<String> {
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let own = text.lines().map(fields).find(|fields| fields.len() == 10 && fields[0] == user)?;
    own.into_iter().nth(4).filter(|class| !class.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_the_fifth_of_ten_fields() {
        let text = "# $FreeBSD$\n#\nroot::0:0::0:0:Charlie &:/root:/bin/sh\n\
                    www:*:80:80:daemon:0:0:World Wide Web Owner:/nonexistent:/usr/sbin/nologin\n\
                    kim:*:1001:1001:staff:/home/kim:/bin/sh\n";
        assert_eq!(class_of(text, "www").as_deref(), Some("daemon"));
        for user in ["root", "kim", "nobody", "# $FreeBSD$"] {
            assert_eq!(class_of(text, user), None, "{user}");
        }
    }
}
