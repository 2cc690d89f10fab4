// What people tell about themselves besides their name.

const ABOUT = "about"; // the key of our own words among those of all applications

// Each reads a profile, and says what to change in it.
export const FIELDS = [
  { name: "area", read: (bean) => bean.area, write: (text) => ({ area: text }), longest: 80 },
  { name: "birthday", read: (bean) => bean.brithday, write: (text) => ({ brithday: text }), longest: 40 },
  {
    name: "words",
    read: (bean) => bean.extend?.[ABOUT],
    write: (text, bean) => ({ extend: { ...bean.extend, [ABOUT]: text } }),
    longest: 200,
  },
];
