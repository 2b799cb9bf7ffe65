//! What only FreeBSD does this way. No module here is called but through its Linux twin's name.
