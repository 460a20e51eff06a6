// Package page makes pages to look at: one self-contained HTML file for an audit, for a test run,
// or for the ladders of a few labs. A page needs no network and no other file, works from disk,
// with the keyboard alone, on a phone and on paper, in light and in dark.
//
// What a page says comes from package scenarios/audit/answer, fixtures/detection and
// harness/ladder. This package measures nothing.
package page
