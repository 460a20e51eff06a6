// Package sctp contains the specs of SCTP: rows S1 to S11 of the catalogue. Like TCP, SCTP
// has an orderly end and an abort. Unlike TCP, it has messages in streams, a heartbeat of its
// own, and notifications among the data.
package sctp
