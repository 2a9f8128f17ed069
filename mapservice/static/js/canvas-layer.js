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
    const size = this._bounds.getSize();
    const { canvas } = this;
    const scale = Math.min(2, window.devicePixelRatio || 1);
    L.DomUtil.setPosition(canvas, this._bounds.min);
    canvas.width = scale * size.x;
    canvas.height = scale * size.y;
    canvas.style.width = `${size.x}px`;
    canvas.style.height = `${size.y}px`;
    this.context.setTransform(scale, 0, 0, scale, -scale * this._bounds.min.x, -scale * this._bounds.min.y);
    this.draw();
  },

  /** Draws anew with the next frame, once however often it is asked. */
  request() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  },

  /** Draws at once what waits for the next frame: a page is printed before there is one. */
  flush() {
    if (this.frame) this.draw();
  },

  /** Draws anew; `paint(context)` of each kind does it, in the pixels of the map's panes. */
  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this._bounds) return;
    const { min, max } = this._bounds;
    this.context.clearRect(min.x, min.y, max.x - min.x, max.y - min.y);
    this.paint(this.context);
  },
});
