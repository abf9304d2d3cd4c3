// Adds our page as a tab of Locust's, before its bundle runs. The element is made by hand: Locust's React is not ours
// to import. Where that fails, the page is still there under its own address.
(() => {
  const page = document.currentScript.dataset.page;
  const element = (type, props) => ({
    $$typeof: Symbol.for("react.transitional.element"),
    type,
    key: null,
    props,
    _owner: null,
    _store: {},
  });
  const args = window.templateArgs;
  if (!args) return;
  args.extended_tabs = args.extended_tabs || [];
  args.extended_tabs.push({
    key: "ssegauge",
    title: "Event streams",
    component: () =>
      element("iframe", {
        src: page,
        title: "Event streams",
        style: { width: "100%", height: "80vh", border: "0" },
      }),
  });
})();
