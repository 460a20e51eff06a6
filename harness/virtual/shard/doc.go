// Package shard cuts a run of tests into a fixed number of parts, and joins their
// reports.
//
// A List has the tests and Ginkgo specs of a run. Assign says which shard runs which of
// them, whatever the number of cores. Each shard leaves a report with a Part beside it,
// which says what it is a part of. Join makes one report of them, which depends on the
// parts alone: where and when they ran changes no byte of it.
//
// The tests are compiled, listed and run by package harness/virtual/gotest.
package shard
