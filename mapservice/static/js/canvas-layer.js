// A canvas that covers the map and moves with it; Leaflet's own asks for an object of every single shape.

export const CanvasLayer = L.Renderer.extend({
  _initContainer() {
    this.canvas = this._container = document.createElement("canvas");
    this.canvas.className = this.options.className ?? "";
    this.canvas.ariaHidden = "true";
    this.context = this.canvas.getContext("2d");
  },

  _destroyContainer() {
    cancelAnimationFrame(this.frame);
    this.canvas.remove();
  },

  _updatePaths() {},

  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    this.fitted = false;
    this.draw();
  },

  /** Lets the canvas cover the map's bounds. Without anything to paint it has no pixels: they cost time and memory. */
  fit() {
    const { canvas, context, _bounds: bounds } = this;
    const size = bounds.getSize();
    const scale = Math.min(2, window.devicePixelRatio || 1);
    L.DomUtil.setPosition(canvas, bounds.min);
    const [width, height] = [Math.floor(scale * size.x), Math.floor(scale * size.y)];
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
      canvas.style.width = `${size.x}px`;
      canvas.style.height = `${size.y}px`;
    }
    context.setTransform(scale, 0, 0, scale, -scale * bounds.min.x, -scale * bounds.min.y);
    this.fitted = true;
  },

  /** Draws anew with the next frame, once however often it is asked. */
  request() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  },

  /** Draws at once what waits for the next frame: a page is printed before there is one. */
  flush() {
    if (this.frame) this.draw();
  },

  /**
   * Draws anew. Each kind has `paint(context)`, which does it in the pixels of the map's panes, and `empty()`, which
   * says whether there is nothing to paint.
   */
  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this._bounds) return;
    if (this.empty()) {
      if (this.canvas.width) Object.assign(this.canvas, { width: 0, height: 0 });
      this.fitted = false;
      return;
    }
    if (!this.fitted) this.fit();
    const { min, max } = this._bounds;
    this.context.clearRect(min.x, min.y, max.x - min.x, max.y - min.y);
    this.paint(this.context);
  },
});
