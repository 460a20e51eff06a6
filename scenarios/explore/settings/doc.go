// Package settings measures which settings of a program survive which firewall, and when a
// program with them notices that its peer is gone: a map with two axes, cell by cell, beside what
// the oracle says.
//
// Cells returns the cells of a Grid. Measure plays them all in labs, many at the same time in
// one guest, where their waits overlap; a program's own connections are measured by package
// scenarios/audit. Join puts outcomes and the oracle's words together to a Map, which is printed
// as a table, as JSON and as a picture.
package settings
