// Package zeroread is the specs of the zero-read, recv(2) returning 0, and of the
// poll events around it: rows Z1 to Z10 of the catalogue. It is how a program
// learns that its peer has closed in order, and the only way of closing that it
// shows.
package zeroread
