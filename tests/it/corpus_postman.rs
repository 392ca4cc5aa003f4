//! corpus_postman
