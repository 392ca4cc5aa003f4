; inherits: http
