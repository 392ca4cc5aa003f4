//! What a file means, point by point.
