# Sourced by tests/run and tests/fuzz/run: where what takes long to build outlives a clone, and the versions of the cargo tools in it.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/oscar-metrics
tools=(cargo-deny@0.20.2 cargo-fuzz@0.13.2)
# A folder a version, so that another clone's version stays as it is.
for tool in "${tools[@]}"; do PATH=$cache/tools/$tool/bin:$PATH; done
