#!/usr/bin/env bash
# The whole loop on the sample shop. Reads VISUAL_SIGNAL, DEMO_SERVE and PORT; called by `make demo`.
# A second run goes on where the first one was: what is there is not made again.
set -euo pipefail

folder="runs/demo-visual-${VISUAL_SIGNAL}"
mkdir -p "$folder"

if [ ! -f "$folder/shop/dataset.json" ]; then
  trifocal shop generate "$folder/shop" --visual-signal "$VISUAL_SIGNAL" --force
fi
trifocal train "$folder/shop" "$folder/models" --models trifocal,text,image --config configs/shop.toml
trifocal evaluate "$folder/shop" "$folder/models" --report "$folder/report.html" | tee "$folder/evaluation.txt" | sed '$d'

if [ "$DEMO_SERVE" != "0" ]; then
  trifocal serve "$folder/models/trifocal/bundle" --port "$PORT" --compare-with "Text only=$folder/models/text/bundle" &
  server=$!
  trap 'kill "$server" 2>/dev/null || true' EXIT
  until python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$PORT/readyz')" 2>/dev/null; do
    kill -0 "$server"
    sleep 1
  done
  echo "The shop is open at http://127.0.0.1:$PORT (stop it with Ctrl-C)"
fi
tail -n 1 "$folder/evaluation.txt"
if [ "$DEMO_SERVE" != "0" ]; then
  wait "$server"
fi
