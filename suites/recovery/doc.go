// Package recovery contains the specs of what follows a failure: when a program works again,
// and what becomes of the requests that were under way: rows R1 to R8 of the catalogue. The
// programs are fixtures.Requester, fixtures.Pool and fixtures.Responder.
package recovery
