// Package seeds compares runs of one trial that differ in their seed alone: in what a guest's
// scheduler, its ports, its sequence numbers and its losses are by chance.
//
// Compare puts runs that are equal into groups, and says of each group but the largest where it
// differs first, with both timelines from there. Package scenarios/audit makes the runs.
package seeds
