"""How a report looks: on a screen of any width, and on A4 paper, where nothing can be scrolled."""

STYLE = """
body { font-family: system-ui, sans-serif; color: #141A21; background: #FFFFFF; max-width: 1100px; margin: 2rem auto;
       padding: 0 1rem; line-height: 1.45; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; overflow-wrap: anywhere; } h2 { font-size: 1.2rem; margin-top: 2rem; overflow-wrap: anywhere; }
.table { overflow-x: auto; margin: 0.75rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { border-bottom: 1px solid #D5DAE1; padding: 0.3rem 0.7rem; text-align: left; vertical-align: top; }
.facts { width: 100%; } .facts td { overflow-wrap: anywhere; } .facts th { white-space: nowrap; }
code { overflow-wrap: anywhere; white-space: pre-wrap; font-size: 0.85rem; }
.drawn { margin: 1rem 0; } .drawn img { width: min(100%, 860px); height: auto; background: #FFFFFF; }
figcaption, caption { text-align: left; font-size: 0.9rem; padding: 0.3rem 0; } caption { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.asked { color: #8A4B00; font-weight: 600; }
.notice { background: #FFF4E5; padding: 0.5rem 0.8rem; } .small { color: #56606E; font-size: 0.85rem; }
.figures { display: grid; gap: 1rem; } .figures > div { min-width: 0; overflow: hidden; }
@media (min-width: 900px) { .two { grid-template-columns: 1fr 1fr; } }
@media (max-width: 640px) { .facts th { white-space: normal; } th, td { padding: 0.3rem 0.4rem; } }
@page { size: A4; margin: 14mm; }
@media print {
  body { max-width: none; margin: 0; padding: 0; font-size: 10pt; }
  .table, .models-by-labels { overflow: visible; }
  .two { grid-template-columns: 1fr; }
  table, .models-by-labels { font-size: 7.5pt; }
  .table table { width: 100%; }
  th, td { padding: 2px 4px; overflow-wrap: anywhere; }
  .models-by-labels th, .models-by-labels td { padding: 2px; white-space: normal; print-color-adjust: exact; }
  .models-by-labels table { table-layout: fixed; width: 100%; }
  .models-by-labels thead th, .models-by-labels td, .models-by-labels th[scope=row] { min-width: 0; max-width: none; }
  .models-by-labels th[scope=row] { position: static; }
  .plotly-graph-div, .plot-container, .svg-container { width: 100% !important; }
  .main-svg { max-width: 100%; height: auto; }
  tr, .figures > div, .drawn { break-inside: avoid; } h2, h3, caption { break-after: avoid; }
}
"""
