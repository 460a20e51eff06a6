// Package gotest runs Go test packages of any module in virtual time, in shards, or on
// the running kernel in real time, and reports all of them in one form.
//
// Compile has the go command compile the packages. Tests.Virtual and Tests.Host prepare
// them for a place to run, Virtual.Run and Host.Run run them. Plain tests and Ginkgo specs
// are reported as Ginkgo's types.Report; the names of plain tests are those of go test.
// A test needs no line that names virtual time.
//
// How a run is cut into shards, and how their reports are joined, is package shard's. The
// guests are package virtual's.
package gotest
