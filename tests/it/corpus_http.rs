//! corpus_http
