//! Messages that are composed in a constant, to panic with at compile time.

use crate::schema::Columns;

/// A message of limited size. What is appended beyond it is cut off.
pub(crate) struct Message {
    bytes: [u8; 1024],
    len: usize,
}

impl Message {
    /// An empty message.
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; 1024],
            len: 0,
        }
    }

    /// Appends a text.
    pub(crate) const fn push(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut index = 0;
        while index < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text[index];
            self.len += 1;
            index += 1;
        }
        self
    }

    /// Appends a name in backticks.
    pub(crate) const fn code(self, text: &str) -> Self {
        self.push("`").push(text).push("`")
    }

    /// Appends the names of columns, separated by commas.
    pub(crate) const fn names(mut self, names: &[&str]) -> Self {
        let mut index = 0;
        while index < names.len() {
            if index > 0 {
                self = self.push(", ");
            }
            self = self.push(names[index]);
            index += 1;
        }
        self
    }

    /// Appends the names of columns in backticks.
    pub(crate) const fn columns(self, columns: Columns) -> Self {
        self.push("`").names(columns.names()).push("`")
    }

    /// Panics with the message: a compile error.
    #[track_caller]
    pub(crate) const fn panic(self) -> ! {
        let whole = self.bytes.split_at(self.len).0;
        match std::str::from_utf8(whole) {
            Ok(text) => panic!("{}", text),
            // The message was cut off inside of a character.
            Err(error) => match std::str::from_utf8(whole.split_at(error.valid_up_to()).0) {
                Ok(text) => panic!("{}", text),
                Err(_) => panic!(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    fn panic_text(message: Message) -> String {
        let panic = std::panic::catch_unwind(|| message.panic()).expect_err("a message panics");
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .expect("the panic has a text")
    }

    #[test]
    fn texts_are_appended() {
        let message = Message::new().code("größe").push(" is not a field");
        assert_eq!(panic_text(message), "`größe` is not a field");
    }

    #[test]
    fn a_long_message_is_cut_off_between_characters() {
        let message = Message::new().push("a").push(&"ö".repeat(600));
        assert_eq!(panic_text(message), format!("a{}", "ö".repeat(511)));
    }
}
