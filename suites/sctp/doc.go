// Package sctp is the specs of SCTP: rows S of the catalogue. Like TCP it has an
// orderly end and an abort, and unlike TCP it has messages in streams, a heartbeat of its
// own, and notifications that come among the data.
package sctp
