// Package zeroread contains the specs of the zero-read, recv(2) returning 0, and of the poll
// events around it: rows Z1 to Z10 of the catalogue. By the zero-read a program learns that
// its peer has closed with FIN; no other way to end a connection gives it.
package zeroread
