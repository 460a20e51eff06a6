package browser

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/halfopen-lab/halfopen/scenarios/page"
)

// emulate shows the page on a medium and in a colour scheme.
func (b *tab) emulate(medium, scheme string) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		b.Fatal(err)
	}
}

// dimTexts is an expression: the texts that are shown with a contrast of less than 4.5 to what is
// behind them (WCAG 2.2, 1.4.3).
const dimTexts = `(() => {
	const rgb = c => {
		const n = c.match(/[\d.]+(?:e-?\d+)?/g).map(Number);
		return c.startsWith("color(") ? [n[0] * 255, n[1] * 255, n[2] * 255, n[3] ?? 1] : [n[0], n[1], n[2], n[3] ?? 1];
	};
	const luminance = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = e => {
		for (; e; e = e.parentElement) {
			const c = rgb(getComputedStyle(e).backgroundColor);
			if (c[3] > 0) return c;
		}
		return [255, 255, 255, 1];
	};
	const all = new Set();
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || e.closest("[hidden], script, style, .skip")) continue;
		const a = luminance(rgb(getComputedStyle(e).color)), b = luminance(behind(e));
		const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (contrast < 4.5) all.add(e.className + ": " + e.textContent.trim().slice(0, 30) + ": " + contrast.toFixed(2));
	}
	return [...all];
})()`

func TestTextIsReadableInLightAndInDark(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"audit": audited(t, story()), "tests": measured(t)} {
		b := open(t, file, "ladder-0", 1200)
		b.until("the ladder opens", rows+`.length > 0`)
		papers := map[string]bool{}
		for _, scheme := range []string{"light", "dark"} {
			b.emulate("", scheme)
			papers[value[string](b, `getComputedStyle(document.body).backgroundColor`)] = true
			if dim := value[[]string](b, dimTexts); len(dim) > 0 {
				t.Errorf("%s, %s: too little contrast: %q", name, scheme, dim)
			}
		}
		if len(papers) != 2 {
			t.Errorf("%s: light and dark are %v", name, papers)
		}
	}
}

func TestThePagePrints(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"audit": audited(t, story()), "tests": measured(t)} {
		b := open(t, file, "ladder-0", 1200)
		b.until("the ladder opens", rows+`.length > 0`)
		// A reader of the dark page prints it on white paper, which is 718 px wide: A4 without its margins.
		b.emulate("print", "dark")
		b.do(chromedp.EmulateViewport(718, 1000))
		if paper := value[string](b, `getComputedStyle(document.body).backgroundColor`); paper != "rgb(255, 255, 255)" {
			t.Errorf("%s: the paper is %s", name, paper)
		}
		if w := value[int64](b, `Math.max(...[document.documentElement, ...document.querySelectorAll(".scroll")].map(e => e.scrollWidth))`); w > 718 {
			t.Errorf("%s: on paper the page is %d px wide", name, w)
		}
		if shown := value[bool](b, `[...document.querySelectorAll(".tools, .skip")].some(e => e.checkVisibility())`); shown {
			t.Errorf("%s: the paper shows what one can only press", name)
		}
		pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
		if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			t.Errorf("%s: printing: %v, %.20q", name, err, pdf)
		}
		if closed := value[int](b, `document.querySelectorAll("details.recipe:not([open])").length`); closed > 0 {
			t.Errorf("%s: %d texts to copy are closed on paper", name, closed)
		}
	}
}

func TestTheKeyboardOpensACellsStoryAndWhatIsFolded(t *testing.T) {
	t.Parallel()
	b := open(t, measured(t), "", 1200)
	b.do(chromedp.Focus(`table.heat a`))
	b.press(kb.Tab, kb.Tab)
	if at := value[int](b, `[...document.querySelectorAll("table.heat a")].indexOf(document.activeElement)`); at != 2 {
		t.Errorf("two tabs from the first cell is cell %d", at)
	}
	if beyond := value[int](b, `[...document.querySelectorAll("table.heat td")].filter(e => e.className && e.querySelector("a")?.tabIndex !== 0).length`); beyond > 0 {
		t.Errorf("Tab does not reach %d cells", beyond)
	}
	b.do(chromedp.Focus(`table.heat tbody tr:first-child td:nth-of-type(3) a`))
	b.press(kb.Enter)
	b.until("Enter opens the cell's story", `document.querySelectorAll(".ladder[open] .step").length === 7`)
	var stops []string
	for range 12 {
		b.press(kb.Tab)
		stop := value[string](b, `document.activeElement.closest(".ladder[open]") ? document.activeElement.tagName : ""`)
		if stop == "" {
			break
		}
		stops = append(stops, stop)
		if stop == "BUTTON" {
			b.press(kb.Enter)
			b.until("Enter unfolds", `document.querySelectorAll(".ladder[open] .step").length === 11`)
		}
	}
	if got := strings.Join(stops, " "); got != "SUMMARY INPUT INPUT INPUT INPUT INPUT INPUT DIV BUTTON" {
		t.Errorf("after the cell Tab goes to %q, expected the story: its filter, its events, what is folded", got)
	}

	b.do(chromedp.Focus(`.ladder[open] .step[tabindex="0"]`))
	b.press(kb.End, kb.Enter, kb.Tab)
	id := value[string](b, `document.activeElement.closest(".step")?.id ?? ""`)
	if !value[bool](b, `document.activeElement.matches(".detail a")`) || !strings.HasPrefix(id, "ladder-") {
		t.Errorf("from an event Tab goes to %q, expected its link", value[string](b, `document.activeElement.outerHTML.slice(0, 80)`))
	}
	b.press(kb.Enter)
	b.until("the address names the instant", fmt.Sprintf(`location.hash === "#%s"`, id))
}

// measured writes the page of a test run with the whole detection matrix, and returns its file.
func measured(t *testing.T) string {
	t.Helper()
	directory := matrixReport(t)
	if err := page.WriteTests(directory, ""); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(directory, page.File)
}
