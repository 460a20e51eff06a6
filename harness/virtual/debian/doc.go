// Package debian brings Debian's packages into a virtual guest: its kernel, the
// programs that labs need, and any other package by its name, each with what it depends
// on. They are fetched once, by the system's own apt, into a cache in the user's home;
// nothing is installed and no root is needed.
//
// What a guest does with them is not known here.
package debian
