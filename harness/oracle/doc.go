// Package oracle says what should happen, and when: pure functions of settings,
// each with its source. It opens no socket, reads no clock and imports nothing of
// ours. What did happen is measured by the other packages; harness/matcher
// compares the two.
package oracle
