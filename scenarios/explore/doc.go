// Package explore finds the instant, the setting and the seed at which a program, or a test,
// goes wrong.
//
// A spec asks one question at one instant. An exploration first lets its Subject run without
// a fault, and takes down what happens and when. Then it runs the subject again and again, and
// each time a fault strikes at another of those instants. What must hold in every run are the
// invariants. A run that breaks one is made smaller until nothing can be taken away, and told
// as one command.
//
// Subjects are elsewhere: programs in package scenarios/audit, Go tests in package
// scenarios/explore/tests.
package explore
