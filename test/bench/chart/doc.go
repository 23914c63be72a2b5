// Command chart draws bar charts as SVG:
//
//	chart DIR <CHARTS
//
// CHARTS is a JSON array of charts, each of which becomes DIR/name.svg. It is a
// module of its own, so that gonfs does not depend on what only draws.
package main
