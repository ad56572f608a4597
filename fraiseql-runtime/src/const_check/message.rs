//! Messages that are put together in a constant, to panic with while compiling.

/// A message; what goes beyond its size is cut.
pub(crate) struct Message {
    bytes: [u8; 1024],
    len: usize,
}

impl Message {
    /// Nothing yet.
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

    /// Appends a name as code: in backticks.
    pub(crate) const fn code(self, text: &str) -> Self {
        self.push("`").push(text).push("`")
    }

    /// Stops the compiler with the message.
    #[track_caller]
    pub(crate) const fn panic(self) -> ! {
        let whole = self.bytes.split_at(self.len).0;
        match std::str::from_utf8(whole) {
            Ok(text) => panic!("{}", text),
            // It was cut inside a character.
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

    fn said(message: Message) -> String {
        let panic = std::panic::catch_unwind(|| message.panic()).expect_err("it panics");
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .expect("a text")
    }

    #[test]
    fn a_message_is_its_pieces() {
        let message = Message::new().code("größe").push(" is no field");
        assert_eq!(said(message), "`größe` is no field");
    }

    #[test]
    fn a_message_that_is_too_long_is_cut_between_characters() {
        let message = Message::new().push("a").push(&"ö".repeat(600));
        assert_eq!(said(message), format!("a{}", "ö".repeat(511)));
    }
}
