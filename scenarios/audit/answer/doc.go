// Package answer is what an audit has measured, and what is made of it: JSON, a page for a
// terminal that can be pasted into a ticket, Markdown; whether it keeps what was promised,
// and what has changed since an earlier answer.
//
// It measures nothing (package scenarios/audit), and gets what should happen from
// harness/oracle.
package answer
