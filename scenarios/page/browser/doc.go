// Package browser has no code: its tests open the pages of package page in a real browser.
// It is a module of its own, so that nobody who imports halfopen gets the browser's client.
package browser
