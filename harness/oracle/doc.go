// Package oracle computes what should happen and when, from the settings alone. Each function
// names its source: an RFC, a manual page, a file of the kernel.
//
// The package opens no socket and reads no clock. Other packages measure what did happen;
// package matcher compares the two.
package oracle
