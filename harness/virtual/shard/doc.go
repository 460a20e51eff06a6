// Package shard cuts a run of specs into a fixed number of parts, and joins their
// reports.
//
// The test binary lists its specs; Assign says which shard runs which of them, whatever
// the number of cores. Each shard leaves a report with a Part beside it, which says what
// it is a part of. Join makes one report of them, which depends on the parts alone: where
// and when they ran changes no byte of it.
package shard
