// Package idle lets Go programs sleep through a guest's idle hours: a program that is
// built for guests alone imports it for that, and nothing else. What the machine and its
// kernel do from time to time is switched off in packages virtual and virtual/guest.
package idle
