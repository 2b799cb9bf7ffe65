//! jail.conf(5) as far as tools write it: parameters of one jail, at its top and in blocks. Nothing is substituted but
//! the jail's own name.

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// The line that it begins in, from 1.
    pub(crate) line: usize,
    /// Its name.
    pub(crate) key: String,
    /// Its value, elements of a list joined by commas; empty where it has none.
    pub(crate) value: String,
    /// Whether it is added to what the parameter had.
    pub(crate) adds: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Mark(char),
}

/// The parameters for the jail `name`, in their order; and lines that are not understood.
pub(crate) fn parameters(text: &str, name: &str) -> (Vec<Parameter>, Vec<usize>) {
    let (mut found, mut broken, mut statement) = (vec![], vec![], vec![]);
    for (line, token) in tokens(text) {
        match token {
            Token::Mark('{' | '}') => statement.clear(),
            Token::Mark(';') => {
                let first = statement.first().map_or(line, |(line, _)| *line);
                match parameter(first, &statement, name) {
                    Some(parameter) => found.push(parameter),
                    None if statement.is_empty() => {}
                    None => broken.push(first),
                }
                statement.clear();
            }
            token => statement.push((line, token)),
        }
    }
    broken.extend(statement.first().map(|(line, _)| *line));
    (found, broken)
}

fn parameter(line: usize, statement: &[(usize, Token)], name: &str) -> Option<Parameter> {
    let tokens: Vec<&Token> = statement.iter().map(|(_, token)| token).collect();
    let (key, adds, values) = match tokens.as_slice() {
        [Token::Word(key)] => (key, false, &[][..]),
        [Token::Word(key), Token::Mark('='), values @ ..] => (key, false, values),
        [Token::Word(key), Token::Mark('+'), Token::Mark('='), values @ ..] => (key, true, values),
        _ => return None,
    };
    let mut value = String::new();
    for token in values {
        match token {
            Token::Word(word) => value.push_str(word),
            Token::Mark(',') => value.push(','),
            Token::Mark(_) => return None,
        }
    }
    let value = value.replace("${name}", name).replace("$name", name);
    (!value.contains('$')).then(|| Parameter { line, key: key.clone(), value, adds })
}

fn tokens(text: &str) -> Vec<(usize, Token)> {
    let mut tokens = vec![];
    let mut line = 1;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '#' => comment(rest, "\n", 0),
            '/' if rest.starts_with("//") => comment(rest, "\n", 0),
            '/' if rest.starts_with("/*") => comment(rest, "*/", 2),
            '"' | '\'' => {
                let end = rest[1..].find(c).map_or(rest.len(), |end| end + 1);
                tokens.push((line, Token::Word(rest[1..end].to_owned())));
                (end + 1).min(rest.len())
            }
            '{' | '}' | ';' | '=' | '+' | ',' => {
                tokens.push((line, Token::Mark(c)));
                1
            }
            c if c.is_whitespace() => c.len_utf8(),
            _ => {
                let end = rest.find(is_end).unwrap_or(rest.len());
                tokens.push((line, Token::Word(rest[..end].to_owned())));
                end
            }
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn is_end(c: char) -> bool {
    c.is_whitespace() || "{};=,\"'#".contains(c)
}

fn comment(rest: &str, end: &str, more: usize) -> usize {
    rest.find(end).map_or(rest.len(), |at| at + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_write_is_read() {
        let text = "web {\n  enforce_statfs = 2;\n  exec.clean; # a comment\n  exec.start = '/bin/sh /etc/rc';\n\
                    /* two\n lines */ ip4.addr = lo1|10.0.0.1/24, \"em0|10.0.0.2\";\n  ip4.addr += 10.0.0.3;\n\
                    path = /usr/jails/$name;\n  exec.poststart = \"$other\";\n  odd = = ;\n}\n";
        let (found, broken) = parameters(text, "web");
        let lines: Vec<String> = found.iter().map(|p| format!("{}:{}={}", p.line, p.key, p.value)).collect();
        assert_eq!(
            lines,
            [
                "2:enforce_statfs=2",
                "3:exec.clean=",
                "4:exec.start=/bin/sh /etc/rc",
                "6:ip4.addr=lo1|10.0.0.1/24,em0|10.0.0.2",
                "7:ip4.addr=10.0.0.3",
                "8:path=/usr/jails/web",
            ]
        );
        assert!(found[4].adds && !found[3].adds);
        assert_eq!(broken, [9, 10]);
    }

    #[test]
    fn an_open_quote_or_block_is_told() {
        assert_eq!(parameters("web {\n path = \"/a;\n}\n", "web").1, [2]);
        assert_eq!(parameters("web {\n path = /a", "web").1, [2]);
    }
}
