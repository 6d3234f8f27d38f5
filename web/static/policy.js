// Refreshes the rule editor and the impact page in place. Every form works without this file: it posts the same forms
// to the same addresses and puts the page that comes back where the old one was. Focus, scroll, open folds and
// whatever was typed elsewhere meanwhile are carried over.
(function () {
  'use strict';
  var main = document.getElementById('main');
  var status = document.createElement('p');
  status.setAttribute('role', 'status');
  status.className = 'visually-hidden';
  document.body.appendChild(status);
  var busy = false;
  var sent = null; // key of the form on its way, and its values as they were sent
  var pending = null; // a form that was submitted meanwhile
  var timer = 0;

  function all(selector) { return Array.prototype.slice.call(main.querySelectorAll(selector)); }
  function keyOf(form) { var field = form.querySelector('input[name=form]'); return field ? field.value : form.getAttribute('action') || ''; }
  function typable(form) {
    return Array.prototype.filter.call(form.elements, function (e) { return e.name && e.type !== 'hidden' && e.type !== 'submit'; });
  }
  function nameOf(control) { return (control.id || control.name) + (control.type === 'radio' ? '=' + control.value : ''); }
  function valueOf(control) { return control.type === 'radio' || control.type === 'checkbox' ? control.checked : control.value; }
  function shownFirst(control) {
    if (control.type === 'radio' || control.type === 'checkbox') { return control.defaultChecked; }
    if (control.options) {
      var chosen = Array.prototype.filter.call(control.options, function (o) { return o.defaultSelected; })[0];
      return (chosen || control.options[0] || { value: '' }).value;
    }
    return control.defaultValue;
  }

  function typedElsewhere() {
    var kept = {};
    all('form').forEach(function (form) {
      var key = keyOf(form);
      typable(form).forEach(function (control) {
        var from = sent && sent.key === key ? sent.values[nameOf(control)] : shownFirst(control);
        if (from !== undefined && valueOf(control) !== from) { (kept[key] = kept[key] || {})[nameOf(control)] = valueOf(control); }
      });
    });
    return kept;
  }

  function putBack(kept) {
    all('form').forEach(function (form) {
      var values = kept[keyOf(form)];
      if (!values) { return; }
      typable(form).forEach(function (control) {
        if (!(nameOf(control) in values)) { return; }
        if (control.type === 'radio' || control.type === 'checkbox') { control.checked = values[nameOf(control)]; } else { control.value = values[nameOf(control)]; }
      });
    });
  }

  // an element of the old page and its like in the new one: by id, else by its place inside the nearest thing with one
  function spotOf(element, kind) {
    if (!element || element === main || !main.contains(element)) { return null; }
    if (element.id) { return { id: element.id }; }
    var home = element.parentElement.closest('[id]');
    return { id: home.id, kind: kind, n: Array.prototype.indexOf.call(home.querySelectorAll(kind), element) };
  }
  function elementAt(spot) {
    var home = spot && document.getElementById(spot.id);
    return home && spot.kind ? home.querySelectorAll(spot.kind)[spot.n] : home;
  }

  // `what` of the page is replaced: all of it after a form, only what was waited for after a look
  function put(page, what) {
    var kept = typedElsewhere();
    var active = document.activeElement;
    var spot = spotOf(active, 'a, button, input, select, textarea, summary');
    var caret = spot ? [active.selectionStart, active.selectionEnd] : [];
    var height = spot ? active.getBoundingClientRect().top : 0;
    var open = all('details[open]').map(function (e) { return spotOf(e, 'details'); });
    var top = window.scrollY;
    what.forEach(function (selector) {
      var now = document.querySelector(selector);
      var fresh = page.querySelector(selector);
      if (now && fresh) { now.replaceWith(document.importNode(fresh, true)); }
    });
    main = document.getElementById('main');
    document.title = page.title;
    putBack(kept);
    open.forEach(function (place) { var e = elementAt(place); if (e) { e.open = true; } });
    var wrong = sent && main.querySelector('.sq-errors[role=alert]');
    var next = elementAt(spot);
    // what is being looked at stays where it is on the screen, whatever came in above it
    if (!wrong) { window.scrollTo({ top: next ? window.scrollY + next.getBoundingClientRect().top - height : top, behavior: 'instant' }); }
    if (wrong || (next && next !== document.activeElement)) { (wrong || next).focus({ preventScroll: !wrong }); }
    if (!wrong && next && typeof caret[0] === 'number') { next.setSelectionRange(caret[0], caret[1]); }
    var said = main.querySelector('[data-announce]');
    status.textContent = said ? said.textContent : '';
    if (kept.say) { pending = pending || { key: 'say' }; }
  }

  function ask(address, body) {
    busy = true;
    main.setAttribute('aria-busy', 'true');
    fetch(address, { method: body ? 'POST' : 'GET', body: body, credentials: 'same-origin' }).then(function (answer) {
      var at = answer.url.split('#')[0];
      return answer.text().then(function (text) {
        var page = new DOMParser().parseFromString(text, 'text/html');
        var whole = body && page.getElementById('main');
        var waited = !body && at === location.href.split('#')[0] && page.getElementById(polled().id);
        if (body && answer.ok) { history.replaceState(null, '', at); }
        if (whole) { put(page, ['#main']); } else if (waited) { put(page, ['#' + waited.id, '.sq-wiz']); } else { location.assign(at); }
      });
    }).catch(function () {
      // no answer: what was typed stays where it is, the button sends it again
      var lost = document.getElementById('lost');
      if (lost) { lost.hidden = false; status.textContent = lost.textContent; }
    }).then(function () {
      busy = false;
      sent = null;
      main.removeAttribute('aria-busy');
      var next = pending;
      pending = null;
      var form = next && all('form[data-live]').filter(function (f) { return keyOf(f) === next.key; })[0];
      if (form) { send(form, next.button); } else { wait(); }
    });
  }

  function send(form, button) {
    var named = button && button.name ? { name: button.name, value: button.value } : null;
    if (busy) {
      if (form.id !== 'f-say') { pending = { key: keyOf(form), button: named }; }
      return;
    }
    var data = new FormData(form);
    if (named) { data.append(named.name, named.value); }
    sent = { key: keyOf(form), values: {} };
    typable(form).forEach(function (control) { sent.values[nameOf(control)] = valueOf(control); });
    ask(form.getAttribute('action'), new URLSearchParams(data));
  }

  document.addEventListener('submit', function (event) {
    if (!event.target.hasAttribute('data-live')) { return; }
    event.preventDefault();
    send(event.target, event.submitter);
  });
  // a changed value inside a sentence is saved at once, so that the proof beside it speaks of what is seen
  document.addEventListener('change', function (event) {
    var form = event.target.form;
    if (form && form.id === 'f-say' && event.target.type !== 'hidden') { send(form); }
  });

  function polled() { return main.querySelector('[data-poll]'); }
  function wait() {
    clearTimeout(timer);
    var poll = polled();
    if (poll) { timer = setTimeout(function () { if (busy) { wait(); } else { ask(location.href.split('#')[0]); } }, Number(poll.getAttribute('data-poll'))); }
  }
  wait();
}());
