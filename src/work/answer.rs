//! Questions to a person whose answer may not travel in an editor's messages: the asking process opens a private
//! socket, and `vaultls answer TICKET` hands the answer over.
