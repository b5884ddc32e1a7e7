//! As much of Velocity as the templates of data actions use, by the rules that Genesys Cloud documents.
//! What it does not know is an error of the template.

/// Renders a template. `value` gives what a name stands for, if it stands for anything.
pub(super) fn render(template: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut reader = Reader {
        rest: template,
        value,
    };
    let rendered = reader.text();
    assert!(reader.rest.is_empty(), "what is this: {}", reader.rest);
    rendered
}

struct Reader<'t> {
    rest: &'t str,
    value: &'t dyn Fn(&str) -> Option<String>,
}

impl<'t> Reader<'t> {
    /// Up to the end, or to a directive that ends this piece.
    fn text(&mut self) -> String {
        let mut text = String::new();
        while !self.rest.is_empty() {
            if self.rest.starts_with("#{else}") || self.rest.starts_with("#end") {
                break;
            } else if self.take("#if(") {
                text += &self.choice();
            } else if self.rest.starts_with('$') {
                text += &self.reference();
            } else {
                assert!(!self.rest.starts_with('#'), "a directive: {}", self.rest);
                text.push(self.char());
            }
        }
        text
    }

    fn choice(&mut self) -> String {
        let mut is_so = self.comparison();
        while self.take(" || ") {
            is_so |= self.comparison();
        }
        self.expect(")");
        let then = self.text();
        let otherwise = if self.take("#{else}") {
            self.text()
        } else {
            String::new()
        };
        self.expect("#end");
        if is_so { then } else { otherwise }
    }

    fn comparison(&mut self) -> bool {
        let left = self.quoted();
        if self.take(" != ") {
            return left != self.quoted();
        }
        self.expect(" == ");
        left == self.quoted()
    }

    fn reference(&mut self) -> String {
        if self.take("$esc.jsonEncode(") {
            let text = serde_json::Value::from(self.argument()).to_string();
            let inner = text
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            inner.unwrap().to_owned()
        } else if self.take("$esc.uriEncode(") {
            let text = self.argument();
            let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            encoded.replace('+', "%20")
        } else if self.take("$!{") {
            let name = self.until('}');
            (self.value)(name).unwrap_or_default()
        } else {
            // A name that stands for nothing stands for itself.
            self.expect("${");
            let name = self.until('}');
            (self.value)(name).unwrap_or_else(|| format!("${{{name}}}"))
        }
    }

    fn argument(&mut self) -> String {
        let text = self.quoted();
        self.expect(")");
        text
    }

    /// A text in double quotes; references in it are replaced.
    fn quoted(&mut self) -> String {
        self.expect("\"");
        let mut text = String::new();
        while !self.take("\"") {
            if self.rest.starts_with('$') {
                text += &self.reference();
            } else {
                text.push(self.char());
            }
        }
        text
    }

    fn until(&mut self, end: char) -> &'t str {
        let (before, after) = self.rest.split_once(end).unwrap();
        self.rest = after;
        before
    }

    fn char(&mut self) -> char {
        let mut chars = self.rest.chars();
        let char = chars.next().unwrap();
        self.rest = chars.as_str();
        char
    }

    fn take(&mut self, text: &str) -> bool {
        let after = self.rest.strip_prefix(text);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn expect(&mut self, text: &str) {
        assert!(self.take(text), "{text:?} is missing here: {}", self.rest);
    }
}
